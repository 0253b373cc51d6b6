"""Names that stop resolving: a service whose settings name another one that now stands on another node.

Only `depends_on` says for sure that two services talk. A URL in the environment says it nearly as well, and on one
shared network it has always worked without being declared.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bayplan.finding import Finding, warning

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bayplan.model.fleet import Fleet
    from bayplan.model.names import Instance, Name
    from bayplan.model.placement import Seat
    from bayplan.model.service import Service

_ADDRESS = r"(?:(?://|@){name}(?![\w.-])|(?<![\w./@-]){name}:\d)"


def lost_names(fleet: Fleet, seats: Mapping[Instance, Seat]) -> list[Finding]:
    """Return a warning for each service whose settings name a neighbour on another node that nothing bridges."""
    nodes: dict[Name, set[str]] = {}
    for copy, seat in seats.items():
        nodes.setdefault(copy.service, set()).add(seat.node)
    findings: list[Finding] = []
    for service in fleet.active():
        here = nodes.get(service.name, set())
        declared = {dependency.name for dependency in service.depends_on}
        away = [
            other
            for other in fleet.active()
            if other.name.project == service.name.project
            and other.name.name not in declared
            and here.isdisjoint(nodes.get(other.name, here))
            and _share_a_network(fleet, service, other)
        ]
        findings.extend(_named(service, away, nodes))
    return findings


def _share_a_network(fleet: Fleet, one: Service, other: Service) -> bool:
    """Whether two services are on one network that does not reach over nodes by itself."""
    both = {link.network for link in one.networks} & {link.network for link in other.networks}
    known = (network for name, network in fleet.networks.items() if name.project == one.name.project)
    bridged = {network.name.name for network in known if network.between_nodes in ("overlay", "proxy")}
    return bool(both - bridged)


def _named(service: Service, away: Iterable[Service], nodes: Mapping[Name, set[str]]) -> Iterator[Finding]:
    words = dict(_settings(service.body))
    for other in away:
        address = re.compile(_ADDRESS.format(name=re.escape(other.name.name)))
        key = next((key for key, text in words.items() if address.search(text)), None)
        if key is None:
            continue
        where = ", ".join(sorted(nodes[other.name]))
        message = f"names {other.name.name} in its {key}, which stands on {where}: nothing makes that name known here"
        overlay = f"{{compose: {{depends_on: [{other.name.name}]}}}}"
        remedy = f"services: {{{service.name}: {overlay}}} bridges them; {other.name.name} must publish the port"
        yield warning("network/name-lost", service.place, str(service.name), message, remedy, also=(other.place,))


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
