"""Published ports: how many a node gives, and which are taken twice."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.model.fleet import Fleet
    from bayplan.model.names import Instance, Name
    from bayplan.model.placement import Seat
    from bayplan.model.service import Port, Service


@dataclass(frozen=True, slots=True)
class Taken:
    """A port that several services publish on one node."""

    port: str
    services: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of a node: how many are published there, and those that clash, by number."""

    published: int
    clashes: tuple[Taken, ...] = ()


def ports(fleet: Fleet, seats: Mapping[Instance, Seat], node: str) -> Ports:
    """Return the ports that services standing on a node publish there."""
    here = sorted({copy.service for copy, seat in seats.items() if seat.node == node})
    given = [(port, name) for name in here for port in published(fleet.services[name])]
    by_number: dict[tuple[int, str], list[tuple[Port, Name]]] = defaultdict(list)
    for port, name in given:
        by_number[port.published or 0, port.protocol].append((port, name))
    clashes = [
        Taken(f"{number}/{protocol}", tuple(sorted({name for _, name in some})))
        for (number, protocol), some in sorted(by_number.items())
        if any(a.clashes_with(b) for i, (a, _) in enumerate(some) for b, _ in some[:i])
    ]
    return Ports(len(given), tuple(clashes))


def published(service: Service) -> tuple[Port, ...]:
    """Return the ports that a service takes on its host, after `remap_ports`."""
    ports, remap = tuple(port for port in service.ports if port.published is not None), service.remap_ports
    if not remap:
        return ports
    return tuple(replace(port, published=remap.get(port.published or 0, port.published)) for port in ports)
