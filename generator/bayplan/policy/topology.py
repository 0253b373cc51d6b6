"""Volumes and networks: what the Compose files declare, with what the policy says of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bayplan.model.fleet import Ipam, Network, Volume
from bayplan.model.names import Name
from bayplan.model.quantity import DISK, Origin, Quantity
from bayplan.policy.layers import WHY, stack
from bayplan.policy.overrides import resolve, strengths
from bayplan.policy.patterns import Names
from bayplan.policy.values import Findings, quantity, word
from bayplan.source import Node, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bayplan.model.names import Instance
    from bayplan.model.service import Service


def volumes(
    findings: Findings,
    section: Node | None,
    declared: Mapping[Name, Node],
    services: Iterable[Service],
    sizes: Mapping[str, int],
) -> dict[Name, Volume]:
    """Return all named volumes, and the paths that the policy speaks of.

    Args:
        findings: takes what cannot be read.
        section: the policy's `volumes:`.
        declared: the volumes of the Compose files.
        services: all services, to see who shares what.
        sizes: real volume name → bytes, as observed.
    """
    users: dict[Name, set[Name]] = {}
    for service in services:
        for key in service.volume_keys:
            users.setdefault(Name(service.name.project, key), set()).add(service.name)
    found = {name: _declared(name, node, users.get(name, set()), sizes) for name, node in declared.items()}
    for key, node in sorted(section.items()) if section else ():
        if _is_path(key):
            name = Name("", key) if key.startswith(("/", "~")) else Name(*key.split("/", 1))
            found[name] = _said(findings, key, node, Volume(name, key, access="shared", on_move="never", is_path=True))
    for name, node in _words(findings, "volume", section, Names(declared)).items():
        found[name] = _said(findings, str(name), node, found[name])
    return dict(sorted(found.items()))


def with_today(
    volumes: Mapping[Name, Volume],
    services: Iterable[Service],
    standing: Mapping[Instance, str],
    devices: Mapping[str, Mapping[str, str]],
) -> dict[Name, Volume]:
    """Return the volumes with where each exists today.

    Args:
        volumes: all of them.
        services: AS-IS.
        standing: where their copies stand; on a node that was not observed, what they mount is taken to be there.
        devices: observed node → real volume name → folder that it is bound to.
    """
    users = {service.name: service.volume_keys for service in services}
    seen: dict[str, dict[str, str]] = {}
    for node, folders in devices.items():
        for real_name, folder in folders.items():
            seen.setdefault(real_name, {})[node] = folder
    mounted: dict[Name, dict[str, str]] = {}
    for copy, node in standing.items():
        for key in users.get(copy.service, ()) if node not in devices else ():
            mounted.setdefault(Name(copy.service.project, key), {})[node] = ""
    return {
        name: replace(
            volume,
            exists={**mounted.get(name, {}), **seen.get(volume.real_name, {})},
        )
        for name, volume in volumes.items()
    }


def _words(findings: Findings, kind: str, section: Node | None, names: Names) -> dict[Name, Node]:
    """Return what the policy says about each volume or network: an exact name beats patterns, order never decides."""
    things = {key: node for key, node in (section.items() if section else ()) if not _is_path(key)}
    resolved = resolve(findings, section.with_value(things) if section else None, names, kind)
    said = {}
    for name in sorted({*resolved.patterns, *resolved.exact}):
        speakers = [said.node for said in resolved.about(name)]
        place = speakers[-1]
        found = {path[0]: leaf.node for path, leaf in stack(strengths(findings, name, resolved)).items() if path}
        why = "; ".join(sorted({word(node.get(WHY)) for node in speakers} - {""}))
        said[name] = place.with_value({**found, WHY: Node(why, place.place)})
    return said


def _is_path(key: str) -> bool:
    """Whether a key names a bind mount: `/srv/media`, `bev/./conf/**`."""
    return key.startswith(("/", "~")) or "/./" in key or "/../" in key


def _declared(name: Name, node: Node, users: set[Name], sizes: Mapping[str, int]) -> Volume:
    real_name = _real_name(name, node)
    size = sizes.get(real_name)
    return Volume(
        name=name,
        real_name=real_name,
        external=_is_external(node),
        access="single" if len(users) <= 1 else "shared",
        on_move="carry",
        size=Quantity(size, Origin.MEASURED, source="observed") if size is not None else None,
        body=_body(node),
        place=node.here,
    )


def _real_name(name: Name, node: Node) -> str:
    """Return what Docker calls a volume or a network: Compose puts no project before what it does not make."""
    return word(node.get("name")) or (name.name if _is_external(node) else f"{name.project}_{name.name}")


def _is_external(node: Node) -> bool:
    external = node.get("external")
    return external is not None and external.value is True


def _body(node: Node) -> Mapping[str, object]:
    body = plain(node)
    return body if isinstance(body, dict) else {}


def _said(findings: Findings, key: str, node: Node, volume: Volume) -> Volume:
    size, external = node.get("size"), node.get("external")
    amount = quantity(findings, f"volumes.{key}", DISK, size) if size is not None else None
    return replace(
        volume,
        external=external.value is True if external is not None else volume.external,
        access=word(node.get("access"), volume.access),
        on_move=word(node.get("on_move"), volume.on_move),
        disk_class=word(node.get("class"), volume.disk_class),
        size=amount or volume.size,
        place=node.here,
        why=word(node.get("why")),
        said=frozenset({"access", "on_move"} & set(node.value if node.is_map else ())),
    )


def networks(findings: Findings, section: Node | None, declared: Mapping[Name, Node]) -> dict[Name, Network]:
    """Return all networks with what the policy says becomes of them between nodes."""
    found = {name: _network(name, node) for name, node in declared.items()}
    for name, node in _words(findings, "network", section, Names(declared)).items():
        found[name] = _network_said(found[name], node)
    return dict(sorted(found.items()))


def _network(name: Name, node: Node) -> Network:
    driver, ipam = node.get("driver"), node.get("ipam")
    config = ipam.get("config") if ipam is not None else None
    subnets = tuple(word(item.get("subnet")) for item in config or ())
    return Network(
        name=name,
        real_name=_real_name(name, node),
        external=_is_external(node),
        driver=word(driver),
        subnets=tuple(subnet for subnet in subnets if subnet),
        body=_body(node),
        place=node.here,
        ipam=tuple(map(_ipam, config or ())),
        places={"": node.here, **{key: child.here for key, child in node.items()}},
    )


def _ipam(node: Node) -> Ipam:
    said = {key: one for key in ("subnet", "gateway", "ip_range") if (one := node.get(key)) is not None}
    texts = {key: word(one) for key, one in said.items()}
    places = {key: one.place for key, one in said.items()}
    return Ipam(texts.get("subnet", ""), texts.get("gateway", ""), texts.get("ip_range", ""), places)


def _network_said(network: Network, node: Node) -> Network:
    external = node.get("external")
    return replace(
        network,
        between_nodes=word(node.get("between_nodes"), network.between_nodes),
        static_addresses=word(node.get("static_addresses"), network.static_addresses),
        external=external.value is True if external is not None else network.external,
        place=node.here,
        why=word(node.get("why")),
    )
