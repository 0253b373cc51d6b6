"""What keeps a service on the node where it stands today, until the policy says how it is bridged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayplan.finding import NOWHERE, Place
from bayplan.model.fleet import Volume
from bayplan.model.names import Name
from bayplan.place.constraints import paths
from bayplan.place.constraints.lines import PolicyLine
from bayplan.place.constraints.rules import Refusal, Stay

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.model.fleet import Fleet, Network
    from bayplan.model.service import Attachment, Service

Standing = Mapping[str, int]
"""Node → copies of a service that stand there today."""
_TRAVELS = {"carry", "own"}
_REACHABLE = {"network", "per-replica"}


@dataclass(frozen=True, slots=True)
class Hold:
    """One reason why a service stays where it is.

    Attributes:
        service: who is held.
        standing: node → copies that stand there today.
        line: the policy line whose change frees it; its kind is `bind`, `never` or `static`.
        what: the paths, the volume or the network that hold it.
        why: the reason as a clause.
        place: where the mount or the address is written.
    """

    service: Service
    standing: Standing
    line: PolicyLine
    what: tuple[Name, ...]
    why: str
    place: Place = NOWHERE


def standing(fleet: Fleet) -> dict[Name, dict[str, int]]:
    """Return service → node → copies there today, for the copies that are to be placed and nodes that are there."""
    found: dict[Name, dict[str, int]] = {}
    for one, node in sorted(fleet.standing.items()):
        service = fleet.services.get(one.service)
        if service and service.active and one.number <= service.replicas.count and node in fleet.nodes:
            here = found.setdefault(one.service, {})
            here[node] = here.get(node, 0) + 1
    return {name: dict(sorted(here.items())) for name, here in found.items()}


def holds(fleet: Fleet, service: Service, standing: Standing) -> Iterator[Hold]:
    """Yield every reason why a service that stands somewhere stays there."""
    if standing:
        for line, what, why, place in (
            *_binds(fleet, service),
            *_volumes(fleet, service),
            *_addresses(fleet, service),
        ):
            yield Hold(service, standing, line, what, why, place)


_Reason = tuple[PolicyLine, tuple[Name, ...], str, Place]


def _binds(fleet: Fleet, service: Service) -> Iterator[_Reason]:
    held = {
        mount.source: mount
        for mount in service.mounts
        if mount.kind == "bind" and _is_held(fleet, service, mount.source)
    }
    if held:
        shown = ", ".join(sorted(held))
        first = held[min(held)].place
        line = PolicyLine("bind", str(service.name), "", f"services.{service.name} mounts {shown}", 0, first)
        project = service.name.project
        what = tuple(Name("" if path.startswith("/") else project, path) for path in sorted(held))
        yield line, what, f"it mounts {shown} of its node", first


def _is_held(fleet: Fleet, service: Service, path: str) -> bool:
    if paths.everywhere(path):
        return False
    volume = paths.covering(fleet, service.name.project, path)
    return not (volume and (volume.access in _REACHABLE or volume.on_move in _TRAVELS))


def _volumes(fleet: Fleet, service: Service) -> Iterator[_Reason]:
    for key in service.volume_keys:
        name = Name(service.name.project, key)
        volume = fleet.volumes.get(name, Volume(name))
        if volume.on_move == "never" and volume.access not in _REACHABLE:
            place = next(mount.place for mount in service.mounts if mount.kind == "volume" and mount.source == key)
            shown = place if volume.place == NOWHERE else volume.place
            line = PolicyLine("never", str(name), "", f"volumes.{name} on_move: never", 0, shown)
            yield line, (name,), f"volume {name} never moves", place


def _addresses(fleet: Fleet, service: Service) -> Iterator[_Reason]:
    for joined in service.networks:
        network = network_of(fleet, service, joined)
        keeps = network is None or network.static_addresses == "keep"
        if (joined.ipv4 or joined.ipv6) and keeps:
            name = Name(service.name.project, joined.network)
            address = joined.ipv4 or joined.ipv6
            words = f"services.{service.name} has the fixed address {address} on {name}"
            line = PolicyLine("static", str(service.name), joined.network, words, 0, joined.place)
            yield line, (name,), f"its address {address} is one of {name} on its node", joined.place


def network_of(fleet: Fleet, service: Service, joined: Attachment) -> Network | None:
    """Return the network that a service joins, None if nobody describes it."""
    return fleet.networks.get(Name(service.name.project, joined.network))


def refusals_of(fleet: Fleet, hold: Hold) -> Iterator[Refusal]:
    """Yield the nodes that a held service cannot go to: all but those where it stands."""
    for node in sorted(fleet.nodes):
        if node not in hold.standing:
            yield Refusal(hold.service.name, node, (hold.line,), f"{hold.why} ({', '.join(hold.standing)})")


def stays_of(hold: Hold) -> Iterator[Stay]:
    """Yield how many copies a held service keeps on each of its nodes, if it has several."""
    if len(hold.standing) > 1:
        for node, copies in hold.standing.items():
            yield Stay(hold.service.name, node, copies, (hold.line,), hold.why)
