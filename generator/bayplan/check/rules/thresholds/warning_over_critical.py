"""A warning that comes after the critical line: it never warns of anything."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bayplan.check.alerts import alerts, raised
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
        past, sign = ("below", "<") if alert.falls else ("above", ">")
        yield RULE.finding(
            warning.place,
            f"alerts.{alert.name}",
            f"warns {past} {warning.string}, but is critical {past} {critical.string} already",
            arithmetic=f"{warning.string} {sign} {critical.string}",
            remedy="let them change places",
            paste=survey.paste(("alerts", alert.name), _turned(survey, alert)),
            also=(critical.place,),
        )


def _turned(survey: Survey, alert: Alert) -> dict[str, object]:
    """Return the lines in the other order, and above all that is planned where that is known."""
    warning, critical = alert.lines
    turned = (replace(critical, key=warning.key), replace(warning, key=critical.key))
    lines: dict[str, object] = {one.key: one.node.value for one in turned}
    if alert.band and all(one.is_share for one in turned):
        lines.update(raised(survey, replace(alert, lines=turned)))
    return lines


def backwards(alert: Alert) -> bool:
    """Whether the warning comes after the critical line: above it, or below it where less is worse."""
    if len(alert.lines) < 2:  # noqa: PLR2004 - a warning and a critical line
        return False
    (kind, warning), (other, critical) = (line.size for line in alert.lines)
    return kind == other and (warning < critical if alert.falls else warning > critical)


def disordered(alert: Alert) -> bool:
    """Whether the lines of an alert contradict themselves, so that nothing else is to be said of them."""
    return backwards(alert) or bool(never_fires.beyond(alert))
