"""A Redis that may keep as much as its container may have: it is killed before it drops anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.over_limit import over_limit
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.tuning.settings import MAXMEMORY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("tuning/maxmemory-over-limit", Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each Redis whose maxmemory is its limit, or more."""
    message = "may keep {amount} ({said}) in a limit of {limit}: it is killed before anything is evicted"
    return over_limit(RULE, survey, lambda known: known.all(MAXMEMORY)[-1:], message)
