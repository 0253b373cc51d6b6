"""A heap as large as the limit of its container: it is killed before the heap is full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.over_limit import over_limit
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.tuning.settings import HEAP_START

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.tuning.settings import Application, Setting

RULE = Rule("tuning/heap-over-limit", Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service whose heap alone may fill its limit, or more."""
    message = "may grow its heap to {amount} ({said}) in a limit of {limit}: it is killed before the heap is full"
    return over_limit(RULE, survey, _heaps, message)


def _heaps(known: Application) -> tuple[Setting, ...]:
    """Return the heaps of a service; where nothing bounds them, what they start with."""
    return known.heaps or known.all(HEAP_START)
