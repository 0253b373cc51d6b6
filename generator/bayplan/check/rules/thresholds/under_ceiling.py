"""Alerts under the ceiling: the plan may fill nodes so far that the alert never goes out."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from bayplan.check.alerts import above, alerts, ceiling_of, ceilings_over, over, shown
from bayplan.check.rule import Rule
from bayplan.check.rules.thresholds.inside_band import inside
from bayplan.check.rules.thresholds.target_over_alert import about
from bayplan.check.rules.thresholds.warning_over_critical import disordered
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.alerts import Alert
    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("thresholds/under-ceiling", Severity.NOTE)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a note for each alert below a ceiling, where nothing worse is said of it."""
    for alert in alerts(survey):
        line, ceiling = alert.lowest, ceiling_of(survey, alert) if alert.watched else Fraction(0)
        if not line.is_share or line.number >= ceiling or _said(survey, alert):
            continue
        paste = above(survey, alert)
        yield RULE.finding(
            line.node.place,
            f"alerts.{alert.name}",
            f"has its {line.key} line at {shown(line.number)}, but nodes may be filled up to {shown(ceiling)}",
            arithmetic=f"{shown(line.number)} < {shown(ceiling)}",
            remedy="lower the ceilings, or tell it later" if paste else "lower the ceilings",
            paste=paste,
            also=ceilings_over(survey, alert),
        )


def _said(survey: Survey, alert: Alert) -> bool:
    if disordered(alert) or inside(survey, alert) or over(survey, alert):
        return True
    return next(about(survey, alert), None) is not None
