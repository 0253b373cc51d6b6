"""Targets that an alert complains about: what a claim allows is over a line of the same policy."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from bayplan.check.alerts import WHOLE, above, alerts, decoupled, over, percent, rows, shown
from bayplan.check.measure import Truth, claimed
from bayplan.check.moment import AS_IS
from bayplan.check.rule import Rule
from bayplan.check.rules.thresholds.inside_band import inside
from bayplan.check.rules.thresholds.warning_over_critical import disordered
from bayplan.finding import Severity
from bayplan.model import units

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.analyse.ledger import Row
    from bayplan.check.alerts import Alert
    from bayplan.check.subject import Claim
    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.source import Node

RULE = Rule("thresholds/target-over-alert", Severity.WARNING)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each claim about a node whose upper end is over an alert's line."""
    for alert in alerts(survey):
        yield from about(survey, alert)


def about(survey: Survey, alert: Alert) -> Iterator[Finding]:
    """Yield what claims allow over one alert's lines; nodes that are over it anyway are spoken of at the alert."""
    if not alert.watched or disordered(alert) or inside(survey, alert) or not alert.lowest.is_share:
        return
    known = over(survey, alert)
    for claim in survey.claims:
        kind, _, rest = claim.of.partition("/")
        node = rest.partition("/")[0]
        value = claim.node.get(alert.watched)
        if kind not in ("node", "gpu") or claim.at == AS_IS or node in known or value is None or value.is_map:
            continue
        row = next(rows(survey.after, node, alert.watched), None)
        if row is not None and not decoupled(row):
            yield from _compared(survey, alert, claim, value, row)


def _compared(survey: Survey, alert: Alert, claim: Claim, value: Node, row: Row) -> Iterator[Finding]:
    resource = row.resource.partition("/")[0]
    try:
        said = claimed(value, resource)
    except units.UnitError:
        return
    top = said.upper(row.capacity)
    crossed = [line for line in alert.lines if top is not None and top > ceil(row.capacity * line.number / WHOLE)]
    if top is None or not crossed:
        return
    line = max(crossed, key=lambda one: one.number)
    share = percent(int(top), row.capacity)
    allowed = row.capacity * alert.lowest.number / WHOLE
    lower = row.bar <= allowed  # else the claim would be wrong then
    paste = "" if lower else above(survey, alert, share)
    sums = f"{units.show(resource, int(top))} / {units.show(resource, row.capacity)}"
    yield RULE.finding(
        value.place,
        claim.of,
        f"may have {resource} up to {shown(share)}{claim.quote}, where alerts.{alert.name} is {line.key} above "
        f"{shown(line.number)}",
        arithmetic=f"{sums} = {shown(share)} > {shown(line.number)}",
        write=said.lowered(Truth(allowed, whole=row.capacity)) if lower else "",
        paste=paste,
        remedy="" if lower or paste else "plan less there",
        also=(line.node.place,),
    )
