"""What pools are promised together: quotas of the fleet, of each node, and what members need of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayplan.analyse import cards
from bayplan.analyse.pools import asks
from bayplan.check.crowds import resources
from bayplan.model.quantity import GPU_MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bayplan.check.survey import Survey
    from bayplan.model.fleet import Node
    from bayplan.model.quantity import Quantity


@dataclass(frozen=True, slots=True)
class Promise:
    """The quotas of one half and resource, of the whole fleet or of each node, and the room that there is for them.

    Attributes:
        half: `requests` or `limits`.
        resource: of what.
        per_node: whether they hold for each node.
        quotas: pool → quota, by the pools' names.
        room: the room of all nodes together; for quotas of each node, that of the largest one.
        where: the room in words.
    """

    half: str
    resource: str
    per_node: bool
    quotas: Mapping[str, Quantity]
    room: int
    where: str

    @property
    def total(self) -> int:
        """Return the sum of the quotas, in the unit of the resource."""
        return sum(quota.amount for quota in self.quotas.values())


def promises(survey: Survey, half: str) -> Iterator[Promise]:
    """Yield the quotas of a half that there are, of CPUs, memory, VRAM and what nodes offer of their own.

    A reserve that no node can keep is told by itself: such a node counts with all that is below its line.
    """
    nodes = survey.fleet.nodes.values()
    for resource in (*resources(survey.fleet), GPU_MEMORY):
        rooms = {node.name: _room(node, resource) for node in nodes}
        for per_node in (False, True):
            quotas = {
                name: pool.quota[half][resource]
                for name, pool in sorted(survey.fleet.pools.items())
                if pool.per_node is per_node and resource in pool.quota.get(half, {})
            }
            # Who asks for a card where there is none is told by that.
            missing = resource == GPU_MEMORY and not sum(rooms.values()) and any(one.gpu for one in survey.services)
            if quotas and rooms and not missing:
                largest = max(rooms, key=lambda name: (rooms[name], name))
                room = rooms[largest] if per_node else sum(rooms.values())
                where = f"{largest}, the largest node, has" if per_node else "the nodes have"
                yield Promise(half, resource, per_node, quotas, room, where)


def _room(node: Node, resource: str) -> int:
    if resource == GPU_MEMORY:
        return sum(cards.room(node, card) for card in node.gpus)
    line = node.line(resource)
    return line if node.reserved(resource) > line else node.room(resource)


def fitting(survey: Survey, promise: Promise, room: int) -> dict[str, int]:
    """Return quotas that come to a room together, the largest made smaller first, none below what its members need.

    Returns:
        pool → amount, of those that change; empty if no such quotas are there.
    """
    over = promise.total - room
    smaller: dict[str, int] = {}
    for name in sorted(promise.quotas, key=lambda one: (-promise.quotas[one].amount, one)):
        amount = promise.quotas[name].amount
        given = min(max(0, over), max(0, amount - max(1, _needed(survey, name, promise))))
        if given:
            smaller[name] = amount - given
            over -= given
    return smaller if over <= 0 else {}


def _needed(survey: Survey, pool: str, promise: Promise) -> int:
    """Return what the members of a pool need of a quota: all of them, or the largest where they take turns."""
    fleet = survey.fleet
    members = survey.pools.get(pool, ())
    each = [(asks(fleet, one, promise.half, promise.resource), one.replicas) for one in members]
    if fleet.pools[pool].scaling == "on-demand" or promise.per_node:
        return max((amount for amount, _ in each), default=0)
    return sum(amount * max(replicas.count, replicas.maximum) for amount, replicas in each)
