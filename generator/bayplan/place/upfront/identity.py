"""Copies that could never run beside each other, or at all: one name, one address or one port for several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.analyse.eligible import may_stand
from bayplan.analyse.ports import published
from bayplan.finding import Finding, Place, error
from bayplan.place.conflict.amend import show
from bayplan.place.constraints import lines
from bayplan.place.constraints.holds import network_of
from bayplan.place.constraints.ties import placed
from bayplan.place.words import several

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.model.fleet import Fleet
    from bayplan.model.service import Service
    from bayplan.place.constraints.lines import Key


def identities(fleet: Fleet) -> Iterator[tuple[Finding, frozenset[Key]]]:
    """Yield every fixed name and address of a service that has, or may scale to, several copies."""
    for service in placed(fleet):
        copies = max(service.replicas.count, service.replicas.maximum)
        if copies > 1:
            yield from _name(service, copies)
            yield from _addresses(fleet, service, copies)
            yield from _ports(fleet, service, copies)


def _name(service: Service, copies: int) -> Iterator[tuple[Finding, frozenset[Key]]]:
    if service.container_name:
        what = f"container_name {service.container_name}"
        remedy = f"services: {{{service.name}: {{compose: {{container_name: !reset null}}}}}}"
        line = lines.container_name(service)
        yield _finding(service, copies, what, line.place, remedy), frozenset({line.key})


def _addresses(fleet: Fleet, service: Service, copies: int) -> Iterator[tuple[Finding, frozenset[Key]]]:
    for joined in service.networks:
        network = network_of(fleet, service, joined)
        if joined.ipv4 and not (network and network.static_addresses == "drop"):
            kept = ", ".join(sorted({one.network for one in service.networks}))
            remedy = f"services: {{{service.name}: {{compose: {{networks: !override [{kept}]}}}}}}"
            keys = frozenset({lines.address(service, joined).key, ("static", str(service.name), joined.network)})
            yield _finding(service, copies, f"fixed address {joined.ipv4}", joined.place, remedy), keys


def _ports(fleet: Fleet, service: Service, copies: int) -> Iterator[tuple[Finding, frozenset[Key]]]:
    """Yield the first published port of a service with more copies than nodes that could each give it to one."""
    ports = published(service)
    nodes = [node.name for node in fleet.nodes.values() if may_stand(service, node)]
    if ports and 0 < len(nodes) < copies:
        first = ports[0]
        finding = error(
            "replicas/one-identity",
            service.replicas.place,
            str(service.name),
            f"{copies} copies of {service.name} publish {first.published}/{first.protocol}, which each of "
            f"{several(len(nodes), 'node')} has once",
            "or publish no port, and let an edge lead to the copies",
            paste=show(("services", str(service.name)), _fewer(service, len(nodes))),
            arithmetic=f"{copies} copies > {several(len(nodes), 'node')} ({', '.join(nodes)})",
            also=(first.place,),
        )
        yield finding, frozenset(lines.port(service, port).key for port in ports)


def _fewer(service: Service, most: int) -> dict[str, object]:
    """Return what has to be said so that a service never has more than so many copies."""
    now = service.replicas
    value: dict[str, object] = {}
    if now.scaled:
        value["scale"] = {**({"min": most} if now.minimum > most else {}), "max": most}
    if not now.scaled or now.count > max(most, now.minimum):
        value["replicas"] = most
    return value


def _finding(service: Service, copies: int, what: str, place: Place, remedy: str) -> Finding:
    return error(
        "replicas/one-identity",
        place,
        str(service.name),
        f"{copies} copies of {service.name} have one {what}: only one of them can ever start",
        "or replicas: 1",
        paste=remedy,
        arithmetic=f"{copies} copies, 1 identity",
        also=(service.replicas.place, service.place),
    )
