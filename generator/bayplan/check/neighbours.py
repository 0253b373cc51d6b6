"""Names that stop resolving: a service whose settings name another one that now stands on another node.

Only `depends_on` says for sure that two services talk. A URL in the environment says it nearly as well, and on one
shared network it has always worked without being declared.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bayplan.analyse.addresses import address
from bayplan.analyse.ports import published
from bayplan.finding import Finding, Place, warning
from bayplan.model.names import Name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bayplan.model.fleet import Fleet
    from bayplan.model.names import Instance
    from bayplan.model.placement import Seat
    from bayplan.model.service import Service

_ADDRESS = re.compile(r"(?://|@)([\w.-]+)|(?<![\w./@-])([\w.-]+):\d")
"""A host in a URL, or one with its port."""
_NAMES_A_HOST = re.compile(r"environment \w*(HOST(NAME)?|SERVER|ADDR(ESS)?|ENDPOINT)$", re.IGNORECASE)
_HOST = re.compile(r"[\w.-]+")


def lost_names(fleet: Fleet, seats: Mapping[Instance, Seat]) -> list[Finding]:
    """Return a warning for each service whose settings name a neighbour on another node that nothing bridges."""
    nodes: dict[Name, set[str]] = {}
    for copy, seat in seats.items():
        nodes.setdefault(copy.service, set()).add(seat.node)
    bridged = {
        name
        for name, network in fleet.networks.items()
        if network.between_nodes in ("overlay", "proxy") or network.driver == "overlay"
    }
    named = {service.name: tuple(_named(fleet, service)) for service in fleet.active()}
    return [
        _lost(fleet, service, other, key, sorted(nodes[other.name]), back=_needs(named, other, service))
        for service in fleet.active()
        for other, key in named[service.name]
        if other.name in nodes and nodes.get(service.name, set()).isdisjoint(nodes[other.name])
        if _share_a_network(service, other, bridged)
    ]


def _needs(named: Mapping[Name, tuple[tuple[Service, str], ...]], one: Service, other: Service) -> bool:
    """Whether a service depends on another one, or names it: the other may not depend on it as well."""
    waits = any(to.name == other.name.name for to in one.depends_on) and one.name.project == other.name.project
    return waits or any(found is other for found, _ in named.get(one.name, ()))


def _named(fleet: Fleet, service: Service) -> Iterator[tuple[Service, str]]:
    """Yield the neighbours that a service's settings name without depending on them, each with the first such key."""
    hosts = (re.split("[:=]", str(one), maxsplit=1)[0] for one in service.body.get("extra_hosts") or ())
    seen = {service.name.name, *hosts, *(dependency.name for dependency in service.depends_on)}
    for key, text in _settings(service.body):
        for host in _hosts(key, text):
            other = fleet.services.get(Name(service.name.project, host))
            if host not in seen and other is not None and other.active:
                yield other, key
            seen.add(host)


def _hosts(key: str, text: str) -> Iterator[str]:
    if _NAMES_A_HOST.search(key) and _HOST.fullmatch(text):
        yield text
    for found in _ADDRESS.finditer(text):
        yield found[1] or found[2]


def _share_a_network(one: Service, other: Service, bridged: set[Name]) -> bool:
    """Whether two services are on one network that does not reach over nodes by itself."""
    both = {link.network for link in one.networks} & {link.network for link in other.networks}
    return any(Name(one.name.project, key) not in bridged for key in both)


def _lost(fleet: Fleet, service: Service, other: Service, key: str, nodes: list[str], *, back: bool) -> Finding:
    where, host = ", ".join(nodes), fleet.nodes[nodes[0]].address
    message = f"names {other.name.name} in its {key}, which stands on {where}: nothing makes that name known here"
    bridge = f"services: {{{service.name}: {{compose: {{depends_on: [{other.name.name}]}}}}}}"
    if back:  # two that depend on each other never start, but each may know where the other one is
        known = address(host) is not None and len(nodes) == 1
        said = f'"{other.name.name}:{host if known else "ADDRESS"}"'
        bridge = f"services: {{{service.name}: {{compose: {{extra_hosts: [{said}]}}}}}}"
    reachable = any(port.published == port.target for port in published(other))
    remedy = f"{bridge} bridges them{'' if reachable else f', once {other.name.name} publishes that port'}"
    place = _place(service, key)
    paste = bridge if reachable and "ADDRESS" not in bridge else ""
    return warning("network/name-lost", place, str(service.name), message, remedy, also=(other.place,), paste=paste)


def _place(service: Service, key: str) -> Place:
    """Return where a setting is written: `environment NAME`, `command`."""
    node = service.tree
    for part in key.split(" ", 1):
        node = node.get(part) if node is not None else None
    place: Place = node.place if node is not None else service.place
    return place


def _settings(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the settings of a Compose mapping that may name another service, as text."""
    environment = body.get("environment") or {}
    pairs = (
        environment.items() if hasattr(environment, "items") else (str(one).partition("=")[::2] for one in environment)
    )
    for key, value in pairs:
        yield f"environment {key}", str(value)
    for key in ("command", "entrypoint"):
        words = body.get(key)
        yield key, " ".join(map(str, words)) if isinstance(words, list) else str(words or "")
