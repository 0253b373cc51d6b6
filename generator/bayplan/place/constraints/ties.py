"""Which services must share a node: by a volume, a network mode, a dependency that cannot cross, or affinity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayplan.analyse.ports import published
from bayplan.model.fleet import Volume
from bayplan.model.names import Name
from bayplan.place.constraints import lines
from bayplan.place.constraints.lines import PolicyLine
from bayplan.place.constraints.rules import Near, Together

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bayplan.finding import Place
    from bayplan.model.fleet import Fleet, Network
    from bayplan.model.service import Dependency, Service

_FREE_ACCESS = {"network", "per-replica"}
_BRIDGES = ("overlay", "proxy", "published", "refuse")
"""From the strongest bridge to none at all."""


@dataclass(frozen=True, slots=True)
class SharedVolume:
    """A named volume with all of its users, under the name that Docker knows it by."""

    volume: Volume
    users: tuple[Name, ...]
    place: Place

    @property
    def binds_users(self) -> bool:
        """Whether its users have to stand on one node."""
        return self.volume.access not in _FREE_ACCESS and self.volume.on_move != "own"


def placed(fleet: Fleet) -> tuple[Service, ...]:
    """Return the services with a copy to place, by name."""
    return tuple(service for service in fleet.active() if service.replicas.count > 0)


def volumes(fleet: Fleet) -> tuple[SharedVolume, ...]:
    """Return every named volume that somebody mounts, by its real name; an external one may join projects."""
    users: dict[str, list[tuple[Name, Volume, Place]]] = {}
    for service in placed(fleet):
        for mount in service.mounts:
            if mount.kind == "volume" and mount.source:
                volume = fleet.volumes.get(Name(service.name.project, mount.source))
                volume = volume or Volume(Name(service.name.project, mount.source))
                real = volume.real_name or f"{volume.name.project}_{volume.name.name}"
                users.setdefault(real, []).append((service.name, volume, mount.place))
    return tuple(_shared(found) for _, found in sorted(users.items()))


def _shared(found: list[tuple[Name, Volume, Place]]) -> SharedVolume:
    by_name = min(found, key=lambda one: one[1].name)
    return SharedVolume(by_name[1], tuple(sorted({user for user, _, _ in found})), min(place for *_, place in found))


def volume_ties(fleet: Fleet) -> Iterator[Together]:
    """Yield the volumes whose users stand on one node: one user with several copies counts too."""
    for shared in volumes(fleet):
        several = len(shared.users) > 1 or fleet.services[shared.users[0]].replicas.count > 1
        if shared.binds_users and several:
            line = lines.volume(shared.volume, len(shared.users), shared.place)
            yield Together(shared.users, (line,), f"volume {shared.volume.name}")


def near_ties(fleet: Fleet) -> Iterator[Near]:
    """Yield what a service needs beside it: its network-mode host, an affinity, a dependency that cannot cross."""
    there = {service.name for service in placed(fleet)}
    containers = {service.container_name: service.name for service in placed(fleet) if service.container_name}
    for service in placed(fleet):
        for near in (*_groups(service, containers), *_affinities(service), *_edges(fleet, service)):
            if near.to in there and near.to != near.service:
                yield near


def _groups(service: Service, containers: Mapping[str, Name]) -> Iterator[Near]:
    """Yield whom a service lives in: a namespace or the volumes of another container of the same node.

    It is named as `service:x`, or as `container:x` by the name of its container.
    """
    said = [("network_mode", service.network_mode)]
    said += [(key, str(service.body.get(key) or "")) for key in ("pid", "ipc")]
    said += [("volumes_from", text if ":" in text else f"service:{text}") for text in _taken(service)]
    for key, text in said:
        kind, _, other = text.partition(":")
        name = {"service": Name(service.name.project, other), "container": containers.get(other)}.get(kind)
        if name is not None:
            written = service.tree.get(key) if service.tree is not None else None
            words = f"services.{service.name} {key} {other}"
            place = written.place if written is not None else service.place
            yield Near(
                service.name,
                name,
                (PolicyLine("group", str(service.name), other, words, 0, place),),
                f"{key} joins them",
            )


def _taken(service: Service) -> Iterator[str]:
    """Yield the services and containers whose volumes a service takes: `web`, `container:web`."""
    for text in map(str, service.body.get("volumes_from") or ()):
        parts = text.split(":")
        yield ":".join(parts[:2]) if parts[0] == "container" else parts[0]


def _affinities(service: Service) -> Iterator[Near]:
    for other in sorted(service.placement.affinity.get("node", ())):
        line = lines.rule(service, "affinity", str(other), f"affinity node {other}")
        yield Near(service.name, other, (line,), "affinity")


def _edges(fleet: Fleet, service: Service) -> Iterator[Near]:
    for dependency in service.depends_on:
        to = fleet.services.get(Name(service.name.project, dependency.name))
        if to and to.active:
            why, network = crossing(fleet, service, to, dependency)
            if why:
                line = lines.edge(service, dependency, network, why)
                yield Near(service.name, to.name, (line,), why)


def crossing(fleet: Fleet, service: Service, to: Service, dependency: Dependency) -> tuple[str, Network | None]:
    """Return why a dependency cannot cross nodes (empty if it can), and the network that it runs over."""
    bridge, network = bridge_of(fleet, service, to)
    if not bridge or dependency.condition == "service_completed_successfully":
        return "", network  # it only orders the starts: nothing is to be reached
    if bridge == "refuse":
        return f"between_nodes of {network.name if network else 'the network'} is refuse", network
    if bridge == "published" and not any(port.published == port.target for port in published(to)):
        shown = ", ".join(f"{port.published}→{port.target}" for port in published(to))
        said = f"only under another number ({shown})" if shown else "no port"
        return f"{to.name} publishes {said}", network
    return "", network


def bridge_of(fleet: Fleet, service: Service, to: Service) -> tuple[str, Network | None]:
    """Return the strongest way between two services on two nodes, and its network; empty if they share no network."""
    if "host" in {service.network_mode, to.network_mode}:
        return "published", None
    shared = sorted(_joined(service) & _joined(to))
    networks = [fleet.networks.get(Name(service.name.project, key)) for key in shared]
    ways = [(_rank(network), key, network) for key, network in zip(shared, networks, strict=True)]
    if not ways:
        return "", None
    rank, _, network = min(ways, key=lambda way: way[:2])
    return _BRIDGES[rank], network


def _rank(network: Network | None) -> int:
    way = network.between_nodes if network else "published"
    if network is not None and network.driver == "overlay" and way == "published":
        way = "overlay"  # it reaches over nodes by itself
    return _BRIDGES.index(way) if way in _BRIDGES else len(_BRIDGES) - 1


def _joined(service: Service) -> set[str]:
    if service.network_mode and service.network_mode != "bridge":
        return set()
    return {joined.network for joined in service.networks} or {"default"}
