"""A service on one node, with what rendering needs to know of the rest of the fleet."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bayplan.analyse.cores import cores

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.analyse.cores import Cores
    from bayplan.model.fleet import Fleet, Node
    from bayplan.model.names import Instance, Name
    from bayplan.model.placement import Placement, Seat
    from bayplan.model.service import Service


@dataclass(frozen=True, slots=True)
class Standing:
    """A service on a node.

    Attributes:
        fleet, placement: the whole that it belongs to.
        service, node: which service, and where.
        copies: the copies that stand there; those of one Compose service have the same cards.
        here: all services of the node → their copies there.
        nodes: all services of the fleet → the nodes that have copies, sorted.
        cores: node → whose its cores are, where somebody has some of his own.
    """

    fleet: Fleet
    placement: Placement
    service: Service
    node: Node
    copies: tuple[Instance, ...]
    here: Mapping[Name, tuple[Instance, ...]]
    nodes: Mapping[Name, tuple[str, ...]]
    cores: Mapping[str, Cores] = field(default_factory=dict)

    @property
    def seat(self) -> Seat:
        """Return the seat of the first copy; the others are alike."""
        return self.placement.seats[self.copies[0]]

    @property
    def came(self) -> bool:
        """Whether its Compose file was written for another node. Where it runs today would change the next file."""
        project = self.fleet.projects.get(self.service.name.project)
        return project is not None and project.node not in ("", self.node.name)

    def parts(self, name: Name) -> dict[str, tuple[Instance, ...]]:
        """Return the Compose services that stand for a service here: one, or one for each set of cards."""
        groups: dict[tuple[int, ...], list[Instance]] = {}
        for one in self.here.get(name, ()):
            groups.setdefault(self.placement.seats[one].gpus, []).append(one)
        if len(groups) == 1:
            return {name.name: self.here[name]}
        taken = {other.name for other in self.fleet.services if other.project == name.project}
        named = {f"{name.name}-{group[0].number}": tuple(group) for group in groups.values()}
        if not taken & named.keys():
            return named
        return {f"{name.name}-copy-{group[0].number}": tuple(group) for group in groups.values()}


def standings(fleet: Fleet, placement: Placement) -> list[Standing]:
    """Return each service on each node that has copies of it, by name and node."""
    here: dict[str, dict[Name, list[Instance]]] = defaultdict(lambda: defaultdict(list))
    for copy, seat in sorted(placement.seats.items()):
        here[seat.node][copy.service].append(copy)
    copies = {node: {name: tuple(some) for name, some in found.items()} for node, found in here.items()}
    nodes: dict[Name, tuple[str, ...]] = defaultdict(tuple)
    for node, found in sorted(copies.items()):
        for name in found:
            nodes[name] += (node,)
    given = cores(fleet, placement)
    return [
        Standing(
            fleet, placement, fleet.services[name], fleet.nodes[node], copies[node][name], copies[node], nodes, given
        )
        for name, where in sorted(nodes.items())
        for node in where
    ]
