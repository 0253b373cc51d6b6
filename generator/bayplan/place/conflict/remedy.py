"""A way out of a conflict, proven by solving again with exactly that change.

It counts only if it alone makes the conflict go away while the other conflicts are set aside.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bayplan.place.conflict import amend
from bayplan.place.exact import solve
from bayplan.place.upfront.causes import upfront

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayplan.model.fleet import Fleet
    from bayplan.place.conflict.shrink import Budget
    from bayplan.place.constraints.lines import Key, PolicyLine
    from bayplan.place.constraints.problem import Problem

BRIDGE, LOOSEN, TAKE_TURNS, LOWER, CEILING, FEWER, BUY = range(1, 8)
"""Kinds of effort: a bridge or a free port is cheap, a smaller limit costs comfort, a larger machine costs money."""

MANY = 20
"""Up to so many copies of a service are looked at as they will be at their most."""


@dataclass(frozen=True, slots=True, order=True)
class Remedy:
    """A change of the policy that ends a conflict.

    Attributes:
        cost: (kind of effort, how much of it in thousandths of what is there); see the constants of this module.
        text: the policy line that one can paste.
        path, value: the same as data: where in the policy, and its new value.
    """

    cost: tuple[int, int]
    text: str
    path: tuple[str, ...] = field(compare=False)
    value: object = field(compare=False)

    def apply(self, fleet: Fleet) -> Fleet:
        """Return the fleet with this change."""
        return amend.amend(fleet, self.path, self.value)


@dataclass(frozen=True, slots=True)
class Case:
    """A conflict to be solved: its lines, and the keys of all other conflicts, which are set aside.

    `errors` is what stands in the way whatever the solver does, as rule and subject: no way out adds to it. `grown` is
    whether there has to be room for the most copies of what scales as well.
    """

    fleet: Fleet
    problem: Problem
    lines: tuple[PolicyLine, ...]
    others: frozenset[Key]
    budget: Budget
    errors: frozenset[tuple[str, str]] = frozenset()
    grown: bool = False

    def hopeless(self, *lines: PolicyLine) -> bool:
        """Whether not even dropping some lines altogether would end the conflict, so that no change of them can."""
        keys = (*self.others, *(line.key for line in lines))
        return self.budget.feasible(self.problem.without(keys)) is not True

    def ends(self, path: tuple[str, ...], value: object) -> bool:
        """Whether a change makes the policy possible, the other conflicts aside."""
        if self.budget.left <= 0:
            return False
        self.budget.left -= 1
        changed = amend.amend(self.fleet, path, value)
        return self._holds(changed) and (not self.grown or self._holds(grown(changed)))

    def _holds(self, fleet: Fleet) -> bool:
        then = upfront(fleet)
        return then.errors <= self.errors and solve.feasible(then.problem.without(self.others)) is True


def grown(fleet: Fleet) -> Fleet:
    """Return a fleet with the most copies of what scales, unless that is many."""
    most = {
        name: replace(one, replicas=replace(one.replicas, count=one.replicas.maximum))
        for name, one in fleet.services.items()
        if one.replicas.count < one.replicas.maximum <= MANY
    }
    return replace(fleet, services={**fleet.services, **most})


def remedy(kind: int, much: int, path: tuple[str, ...], value: object) -> Remedy:
    """Return a remedy with its pasteable text."""
    return Remedy((kind, much), amend.show(path, value), path, value)


def least(low: int, high: int, works: Callable[[int], bool]) -> int | None:
    """Return the least number from low to high that works, if larger ones work too; None if not even the highest."""
    if low > high or not works(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if works(middle) else (middle + 1, high)
    return high
