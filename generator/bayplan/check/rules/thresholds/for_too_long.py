"""Rates that have to last longer than the time they are counted over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.alerts import alerts
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model import units
from bayplan.policy.values import word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("thresholds/for-too-long", Severity.NOTE)
_PERIODS = {"/hour": "1h", "/day": "24h"}
"""Of what happens so often that it is counted by the minute or the second, the rate of the moment is meant."""
_USUAL = "5m"


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a note for each alert on a rate that must last for more than its period."""
    for alert in alerts(survey):
        lasts, period = alert.node.get("for"), _PERIODS.get(alert.lowest.unit)
        if lasts is None or lasts.value is None or period is None:
            continue
        longest = units.milliseconds(period)
        if units.milliseconds(word(lasts)) > longest:
            rate = alert.lowest.node.string
            yield RULE.finding(
                lasts.place,
                f"alerts.{alert.name}",
                f"has to last for {lasts.string}, but {rate} is counted over {period}: it is told too late",
                arithmetic=f"{lasts.string} > {period}",
                write=min(_USUAL, period, key=units.milliseconds),
            )
