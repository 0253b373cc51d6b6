"""Sizes that no node has, made as large as they can be beside all others: proven by solving again with each."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from bayplan.place.conflict.amend import name_of, show
from bayplan.place.conflict.remedy import Case, least
from bayplan.place.conflict.shrink import Budget
from bayplan.place.upfront.sizes import NO_CARD, TOO_LARGE, ways

if TYPE_CHECKING:
    from bayplan.finding import Finding
    from bayplan.model.fleet import Fleet
    from bayplan.place.constraints.lines import Key
    from bayplan.place.upfront.causes import Upfront
    from bayplan.place.upfront.sizes import Change

_BUDGET = 60
"""Questions to the solver for all sizes of a fleet."""
_NONE = "no size of it alone would do: make room where it may stand, or add what is missing"


def fitted(fleet: Fleet, known: Upfront, others: frozenset[Key]) -> tuple[Finding, ...]:
    """Return what is wrong whatever the solver does, where a size is at fault with the largest that can be had.

    Args:
        fleet: the fleet.
        known: what is wrong with it.
        others: the lines of all conflicts beside, which are set aside.
    """
    budget = Budget(_BUDGET)
    return tuple(
        _fitted(fleet, known, one, others, budget) if one.rule in {TOO_LARGE, NO_CARD} else one
        for one in known.findings
    )


def _fitted(fleet: Fleet, known: Upfront, finding: Finding, others: frozenset[Key], budget: Budget) -> Finding:
    ((_, subject, resource),) = known.lines[finding]
    # Another size of the same service may be too large as well: that stays to be told.
    same = [one for one in known.findings if (one.rule, one.subject) == (finding.rule, finding.subject)]
    errors = known.errors if len(same) > 1 else known.errors - {(finding.rule, finding.subject)}
    changes = ways(known.problem, fleet.services[name_of(subject)], resource)
    for most in (True, False):
        found = _found(Case(fleet, known.problem, (), others, budget, errors, most), changes)
        if found:
            return replace(finding, paste=show(*found))
    return finding if budget.left <= 0 or not finding.paste else replace(finding, paste="", remedy=_NONE)


def _found(case: Case, changes: list[list[Change]]) -> Change | None:
    """Return the first change that works, of the first list in which one does."""
    for some in changes:
        works = partial(_works, case, some)
        found = 0 if works(0) else least(1, len(some) - 1, works)
        if found is not None:
            return some[found]
    return None


def _works(case: Case, some: list[Change], number: int) -> bool:
    return case.ends(*some[number])
