"""Why it cannot hold: irreducible sets of policy lines, one after the other until the rest is possible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayplan.place.conflict import sums
from bayplan.place.conflict.remedies import remedies
from bayplan.place.conflict.remedy import MANY, Case, Remedy
from bayplan.place.conflict.shrink import Budget, irreducible
from bayplan.place.upfront.causes import upfront

if TYPE_CHECKING:
    from bayplan.model.fleet import Fleet
    from bayplan.place.constraints.lines import Key, PolicyLine
    from bayplan.place.constraints.problem import Problem

MOST_CONFLICTS = 12
SHRINK_BUDGET = 1200
"""Questions to the solver for finding the sets, in all."""
REMEDY_BUDGET = 120
"""Questions to the solver for the remedies of one set."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Lines that cannot hold together.

    Attributes:
        lines: the set, sorted; without any one of them the others could hold.
        message: one sentence.
        arithmetic: the sum behind it.
        remedies: changes that make this conflict go away, each on its own; the cheapest first.
        proven: whether the set is known to be irreducible: no question to the solver was left open.
    """

    lines: tuple[PolicyLine, ...]
    message: str
    arithmetic: str
    remedies: tuple[Remedy, ...] = ()
    proven: bool = True


def conflicts_of(fleet: Fleet, problem: Problem) -> tuple[Conflict, ...]:
    """Return every independent cause why a problem is impossible, each with its remedies.

    Where one change ends all of them, they have one cause: it is told alone.
    """
    sets = _sets(problem)
    errors = upfront(fleet).errors
    keys = [frozenset(line.key for line in lines) for lines, _ in sets]
    growing = any(one.replicas.count < one.replicas.maximum <= MANY for one in fleet.active())

    def conflict(number: int, others: frozenset[Key], budget: Budget) -> Conflict:
        lines, proven = sets[number]
        ways: tuple[Remedy, ...] = ()
        for most in (True, False) if growing else (False,):
            ways = ways or remedies(Case(fleet, problem, lines, others, budget, errors, most))
        return Conflict(lines, sums.message(lines), sums.arithmetic(problem, lines), ways, proven)

    if len(sets) > 1:
        budget = Budget(REMEDY_BUDGET)
        for number in range(len(sets)):
            alone = conflict(number, frozenset(), budget)
            if alone.remedies:
                return (alone,)
    return tuple(conflict(number, _union(keys, own), Budget(REMEDY_BUDGET)) for number, own in enumerate(keys))


def _sets(problem: Problem) -> list[tuple[tuple[PolicyLine, ...], bool]]:
    """Return the sets in the order in which they were found: each is looked for with the ones before it dropped."""
    budget = Budget(SHRINK_BUDGET)
    found: list[tuple[tuple[PolicyLine, ...], bool]] = []
    while len(found) < MOST_CONFLICTS and budget.feasible(problem) is False:
        budget.unknown = False
        lines = irreducible(problem, budget)
        if not lines:
            break  # no line is to blame: there is no node at all, and that is a finding of its own
        found.append((lines, not budget.unknown))
        problem = problem.without(line.key for line in lines)
    return found


def _union(keys: list[frozenset[Key]], own: frozenset[Key]) -> frozenset[Key]:
    return frozenset(key for some in keys if some != own for key in some)
