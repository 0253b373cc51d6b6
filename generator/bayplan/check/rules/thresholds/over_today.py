"""Nodes that are over an alert's line today and stay so: the alert is on from the first minute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.alerts import above, alerts, over, percent, shown
from bayplan.check.rule import Rule
from bayplan.check.rules.thresholds.inside_band import inside
from bayplan.check.rules.thresholds.warning_over_critical import disordered
from bayplan.finding import Severity
from bayplan.model import units

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.analyse.ledger import Row
    from bayplan.check.alerts import Alert
    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("thresholds/over-today", Severity.WARNING)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each alert that some nodes cross today, without a change that brings them under it."""
    for alert in alerts(survey):
        if disordered(alert) or inside(survey, alert):
            continue
        nodes = today(survey, alert)
        if nodes:
            yield told(RULE, survey, alert, nodes, "is over it today, and nothing brings it under")


def today(survey: Survey, alert: Alert) -> dict[str, Row]:
    """Return node → its row in the end, where it is over an alert's line today already."""
    lowest = alert.lowest.number
    return {
        node: row
        for node, (row, now) in over(survey, alert).items()
        if now is not None and percent(now.bar, now.capacity) > lowest and now.bar <= now.capacity
    }


def told(rule: Rule, survey: Survey, alert: Alert, nodes: dict[str, Row], what: str) -> Finding:
    """Return the finding that nodes are over an alert's line, at the highest line that any of them crosses."""
    highest = max(percent(row.bar, row.capacity) for row in nodes.values())
    line = max((one for one in alert.lines if one.number < highest), key=lambda one: one.number)
    sums = "; ".join(f"{node}: {_bar(row)}" for node, row in nodes.items())
    verb = what if len(nodes) == 1 else what.replace("is ", "are ", 1).replace("it under", "them under")
    kind = "critical" if line.key == "critical" else "a warning"
    paste = above(survey, alert)
    return rule.finding(
        line.node.place,
        f"alerts.{alert.name}",
        f"is {kind} above {shown(line.number)}: {', '.join(nodes)} {verb}",
        arithmetic=sums,
        remedy="make it less there, or tell it later" if paste else "make it less there",
        paste=paste,
    )


def _bar(row: Row) -> str:
    kind = row.resource.partition("/")[0]
    parts = f"{units.show(kind, row.bar)} / {units.show(kind, row.capacity)}"
    return f"{parts} = {shown(percent(row.bar, row.capacity))}"
