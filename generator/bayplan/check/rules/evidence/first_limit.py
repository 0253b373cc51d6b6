"""A saving by limits where there were none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("evidence/first-limit", Severity.NOTE)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield what is found when the claims are measured."""
    yield from survey.judged.get(RULE.id, ())
