"""Who may stand on the same nodes only: what such services are charged together bounds what these nodes must have.

Work grows with the services and with the pairs of different sets of nodes, never with services times nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayplan.analyse.charge import charge
from bayplan.analyse.eligible import may_stand
from bayplan.analyse.pools import together
from bayplan.model.quantity import CPUS, MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bayplan.model.fleet import Fleet, Node
    from bayplan.model.names import Name
    from bayplan.model.service import Service

MOST_SETS = 1000
"""Up to how many sets of nodes each is compared with each; of more, each is summed up alone."""


@dataclass(frozen=True)
class Crowd:
    """The services that may stand nowhere but on some nodes, and those nodes, both in order."""

    nodes: tuple[Node, ...]
    services: tuple[Service, ...]

    def room(self, resource: str) -> int:
        """Return the room of all its nodes together, in the unit of the resource."""
        return sum(node.room(resource) for node in self.nodes)


def crowds(fleet: Fleet) -> Iterator[Crowd]:
    """Yield the services of each set of nodes, and of the sets within it, the smaller sets first."""
    nodes = [node for _, node in sorted(fleet.nodes.items())]
    places = {node.name: at for at, node in enumerate(nodes)}
    alike: dict[object, int] = {}
    bound: dict[int, list[Service]] = {}
    for service in fleet.active():
        key = _key(service)
        if key not in alike:
            named = [places[one] for one in (service.placement.node,) if one in places] or range(len(nodes))
            alike[key] = sum(1 << at for at in named if may_stand(service, nodes[at]))
        bound.setdefault(alike[key], []).append(service)
    within = len(bound) <= MOST_SETS
    for some in sorted(bound, key=lambda one: (one.bit_count(), one)):
        several = within and some.bit_count() > 1  # of one node, no set is within but itself
        inside = [other for other in bound if other and other & some == other] if several else [some]
        services = sorted((one for other in inside for one in bound[other]), key=lambda one: one.name)
        yield Crowd(tuple(nodes[at] for at in _bits(some)), tuple(services))


def _bits(number: int) -> Iterator[int]:
    """Yield which bits of a number are set, the lowest first."""
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest


def _key(service: Service) -> object:
    """Return all that decides where a service may stand."""
    rule = service.placement
    require = tuple(sorted((label, tuple(sorted(values))) for label, values in rule.require.items()))
    return rule.node, tuple(sorted(rule.nodes)), require, tuple(sorted(rule.tolerations)), tuple(service.platforms)


def charges(fleet: Fleet, resource: str) -> Mapping[Name, int]:
    """Return what one copy of each service is charged, in the unit of the resource; nothing for what is unbounded."""
    found = ((service.name, charge(fleet, service, resource)) for service in fleet.active())
    return {name: amount.amount for name, amount in found if amount is not None and amount.amount}


def total(fleet: Fleet, crowd: Crowd, resource: str, each: Mapping[Name, int]) -> int:
    """Return the least that the copies of a crowd are charged together, wherever on its nodes they stand."""
    asking = [one for one in crowd.services if one.name in each]
    plain = [one for one in asking if one.pool not in fleet.pools]
    pooled = [one for one in asking if one.pool in fleet.pools]
    copies = [(one, each[one.name]) for one in pooled for _ in range(one.replicas.count)]
    return sum(each[one.name] * one.replicas.count for one in plain) + together(fleet, resource, copies)


def resources(fleet: Fleet) -> tuple[str, ...]:
    """Return CPUs, memory, and what nodes offer of their own; cards and disks have rules of theirs."""
    offered = {key for node in fleet.nodes.values() for key in node.capacity}
    return CPUS, MEMORY, *sorted(key for key in offered if key not in (CPUS, MEMORY) and ":" not in key)
