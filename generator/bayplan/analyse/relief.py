"""What a policy takes off a node: who was charged there before, and what they are charged there after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayplan.analyse.consumers import consumers
from bayplan.model.quantity import MEMORY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.model.fleet import Fleet
    from bayplan.model.names import Instance
    from bayplan.model.placement import Seat


@dataclass(frozen=True, slots=True)
class Relief:
    """A service or family on a node, with its charge before and after, in the unit of the resource."""

    name: str
    before: int
    after: int

    @property
    def amount(self) -> int:
        """Return how much of the resource becomes free."""
        return self.before - self.after


@dataclass(frozen=True, slots=True)
class Side:
    """A fleet and where its copies stand."""

    fleet: Fleet
    seats: Mapping[Instance, Seat]

    def charges(self, node: str, resource: str) -> dict[str, int]:
        """Return family → charge on a node."""
        here = {copy: seat for copy, seat in self.seats.items() if seat.node == node}
        return {one.family: one.of(resource) for one in consumers(self.fleet, here, resource)}


def reliefs(as_is: Side, to_be: Side, node: str, resource: str = MEMORY) -> list[Relief]:
    """Return what frees a resource of a node on the way from one side to the other, the largest first."""
    before, after = as_is.charges(node, resource), to_be.charges(node, resource)
    found = [Relief(name, amount, after.get(name, 0)) for name, amount in before.items()]
    return sorted((one for one in found if one.amount > 0), key=lambda one: (-one.amount, one.name))
