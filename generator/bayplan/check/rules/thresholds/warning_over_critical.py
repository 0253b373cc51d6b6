"""A warning that comes after the critical line: it never warns of anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.alerts import alerts
from bayplan.check.rule import Rule
from bayplan.check.rules.thresholds import never_fires
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.alerts import Alert
    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("thresholds/warning-over-critical", Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each alert whose lines are the wrong way round."""
    for alert in alerts(survey):
        if not backwards(alert) or never_fires.beyond(alert):
            continue
        warning, critical = (line.node for line in alert.lines)
        yield RULE.finding(
            warning.place,
            f"alerts.{alert.name}",
            f"warns above {warning.string}, but is critical above {critical.string} already",
            arithmetic=f"{warning.string} > {critical.string}",
            remedy="let them change places",
            paste=survey.paste(("alerts", alert.name), {"warning": critical.value, "critical": warning.value}),
            also=(critical.place,),
        )


def backwards(alert: Alert) -> bool:
    """Whether the warning stands above the critical line."""
    if len(alert.lines) < 2:  # noqa: PLR2004 - a warning and a critical line
        return False
    warning, critical = alert.lines
    return warning.unit == critical.unit and warning.number > critical.number


def disordered(alert: Alert) -> bool:
    """Whether the lines of an alert contradict themselves, so that nothing else is to be said of them."""
    return backwards(alert) or bool(never_fires.beyond(alert))
