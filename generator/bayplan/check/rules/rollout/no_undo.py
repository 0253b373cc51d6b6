"""Moves after which there is no way back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("rollout/no-undo", Severity.WARNING)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding where the old copy of moved data goes at once."""
    kept = survey.at("rollout", "keep_source")
    if kept is not None and re.fullmatch(r"0+(ms|s|m|h|d|w)?", kept.string.strip()):
        yield RULE.finding(
            kept.place,
            "rollout",
            "throws the old copy of moved data away at once: what turns out wrong a day later is lost",
            arithmetic=f"keep_source {kept.string}",
            write="7d",
        )
