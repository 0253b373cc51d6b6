"""Nodes that the plan puts over an alert's line: the alert goes on when all is as planned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.alerts import alerts, over
from bayplan.check.rule import Rule
from bayplan.check.rules.thresholds.inside_band import inside
from bayplan.check.rules.thresholds.over_today import today, told
from bayplan.check.rules.thresholds.warning_over_critical import disordered
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("thresholds/plan-over-alert", Severity.WARNING)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each alert whose line some nodes are to be over, and are not today."""
    for alert in alerts(survey):
        if disordered(alert) or inside(survey, alert) or today(survey, alert):
            continue
        nodes = {node: row for node, (row, _) in over(survey, alert).items()}
        if nodes:
            yield told(RULE, survey, alert, nodes, "is planned to be over it")
