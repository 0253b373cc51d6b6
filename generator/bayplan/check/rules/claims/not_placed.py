"""A claim about nodes while not every service has a place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("claims/not-placed", Severity.NOTE)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield what is found when the claims are measured; what leaves no place is told itself, and ends it."""
    if not survey.settled:
        yield from survey.judged.get(RULE.id, ())
