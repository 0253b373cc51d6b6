"""Lines above 100 % of what there is: nothing ever crosses them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.alerts import WHOLE, alerts, shown
from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.alerts import Alert, Line
    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("thresholds/never-fires", Severity.ERROR)
_HIGHEST = {"warning": 90, "critical": 95}


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each line above 100 %."""
    for alert in alerts(survey):
        for line in beyond(alert):
            below = [one.number for one in alert.lines if one.number <= WHOLE]
            other = max(below, default=0)
            usual = _HIGHEST[line.key]
            # A critical line stays above the warning, a warning below the critical line.
            number = (usual if usual > other else (other + WHOLE) / 2) if line.key == "critical" else (
                min(usual, other) if other else usual
            )  # fmt: skip
            write = f"{float(number):g}{line.unit}"
            yield RULE.finding(
                line.node.place,
                f"alerts.{alert.name}",
                f"has its {line.key} line above all there is: nothing is ever fuller than {WHOLE} %",
                arithmetic=f"{shown(line.number)} > {WHOLE} %",
                write=write,
            )


def beyond(alert: Alert) -> list[Line]:
    """Return the lines of an alert that nothing crosses."""
    return [line for line in alert.lines if line.is_share and line.number > WHOLE]
