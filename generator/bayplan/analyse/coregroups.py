"""Who shares which cores of a node, and how many CPUs they ask for together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bayplan.analyse.charge import charge_on
from bayplan.analyse.cores import EXCLUSIVE, kind, pinned
from bayplan.analyse.pools import together
from bayplan.model.quantity import CPUS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bayplan.finding import Place
    from bayplan.model.fleet import Fleet, Node
    from bayplan.model.names import Instance
    from bayplan.model.placement import Seat
    from bayplan.model.service import Service

_MILLI = 1000


@dataclass(frozen=True, slots=True)
class Group:
    """Copies on one node that share some cores.

    Attributes:
        fleet, node: where they stand.
        copies: a service for each copy, by name.
        cores: those that they share; empty if nothing is said.
    """

    fleet: Fleet
    node: Node
    copies: tuple[Service, ...]
    cores: tuple[int, ...] = ()

    @property
    def services(self) -> tuple[Service, ...]:
        """Return the services, each once."""
        return tuple({one.name: one for one in self.copies}.values())

    def each(self, service: Service) -> int:
        """Return the thousandths of a CPU that one copy is charged."""
        charged = charge_on(self.fleet, service, self.node, CPUS)
        return charged.amount if charged else 0

    def place(self, service: Service) -> Place:
        """Return where the CPUs of a service are written."""
        charged = charge_on(self.fleet, service, self.node, CPUS)
        return charged.place if charged else service.place

    @property
    def asked(self) -> int:
        """Return the thousandths of a CPU that they may take together."""
        return together(self.fleet, CPUS, [(one, self.each(one)) for one in self.copies])

    @property
    def wanted(self) -> int:
        """Return the thousandths of a CPU that they ask for together, or the largest limit of one if that is more."""
        return max(self.asked, *(one.limits[CPUS].amount for one in self.services if CPUS in one.limits), 0)

    @property
    def label(self) -> str:
        """Return the name of their set, or the empty string."""
        return next((name for name, cores in sorted(self.node.core_map.items()) if cores == self.cores), "")

    def listed(self) -> str:
        """Return the services in words."""
        names = [str(one.name) for one in self.services]
        return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


MOST_GROUPS = 200
"""Of up to how many groups of a node each is compared with each; of more, each is summed up alone."""


@dataclass(frozen=True, slots=True)
class Shares:
    """The cores of one node.

    Attributes:
        pinned: cores → those who are confined to them.
        loose: those who may run on any that nobody has alone.
        alone: whether somebody has cores that nobody else uses.
        free: cores that are in no set and that nobody is confined to.
    """

    pinned: Mapping[tuple[int, ...], Group]
    loose: Group
    alone: bool
    free: tuple[int, ...]

    def crowded(self) -> Iterator[Group]:
        """Yield who asks for more CPUs than there are cores, the fewest cores first.

        Whoever is confined to some of the cores of others asks for the same ones; so do those whose cores overlap. Of
        what lies around a crowd nothing more is said, nor of cores that the node does not have.
        """
        told: list[set[int]] = []
        for group in sorted(self._joined(), key=lambda one: (len(one.cores), one.cores)):
            cores = set(group.cores)
            there = group.cores[-1] * _MILLI < group.node.has(CPUS)
            if there and group.asked > len(cores) * _MILLI and not any(one <= cores for one in told):
                told.append(cores)
                yield group

    def _joined(self) -> Iterator[Group]:
        """Yield each group together with those within it, and all those together whose cores overlap."""
        sets = {cores: frozenset(cores) for cores in self.pinned}
        if len(sets) > MOST_GROUPS:
            yield from self.pinned.values()
            return
        for cores, mine in sets.items():
            yield _together([self.pinned[other] for other, theirs in sets.items() if theirs <= mine], cores)
        left = set(sets)
        while left:
            first = min(left)
            some, union = {first}, sets[first]
            while more := {other for other in left - some if union & sets[other]}:
                some |= more
                union = union.union(*(sets[other] for other in more))
            left -= some
            if union not in {sets[one] for one in some}:
                yield _together([self.pinned[one] for one in sorted(some)], tuple(sorted(union)))


def _together(groups: list[Group], cores: tuple[int, ...]) -> Group:
    copies = sorted((copy for one in groups for copy in one.copies), key=lambda one: one.name)
    return replace(groups[0], copies=tuple(copies), cores=cores)


def shares(fleet: Fleet, seats: Mapping[Instance, Seat]) -> dict[str, Shares]:
    """Return node → who shares its cores, for each node with a copy, by name."""
    standing: dict[str, list[Service]] = {}
    for copy, seat in sorted(seats.items()):
        standing.setdefault(seat.node, []).append(fleet.services[copy.service])
    return {name: _shares(fleet, fleet.nodes[name], services) for name, services in sorted(standing.items())}


def _shares(fleet: Fleet, node: Node, services: list[Service]) -> Shares:
    copies: dict[tuple[int, ...], list[Service]] = {}
    for service in services:
        copies.setdefault(pinned(fleet, service, node), []).append(service)
    loose = tuple(one for one in copies.pop((), []) if kind(fleet, one) != EXCLUSIVE)
    alone = any(kind(fleet, one) == EXCLUSIVE for one in services)
    groups = {some: Group(fleet, node, tuple(here), some) for some, here in sorted(copies.items())}
    taken = {core for some in (*node.core_map.values(), *groups) for core in some}
    free = tuple(core for core in range(node.has(CPUS) // _MILLI) if core not in taken)
    return Shares(groups, Group(fleet, node, loose), alone, free)
