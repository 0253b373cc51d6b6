"""Alerts inside of the band that nodes are wished to be in: they are on while all is well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.alerts import above, alerts, band_of, shown
from bayplan.check.rule import Rule
from bayplan.check.rules.thresholds.warning_over_critical import disordered
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.alerts import Alert
    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("thresholds/inside-band", Severity.WARNING)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each alert that begins below the upper end of its band."""
    for alert in alerts(survey):
        band = band_of(survey, alert.band)
        if band is None or not inside(survey, alert):
            continue
        line = alert.lowest
        where = "below" if line.number < band[0] else "inside"
        paste = above(survey, alert)
        yield RULE.finding(
            line.node.place,
            f"alerts.{alert.name}",
            f"has its {line.key} line at {shown(line.number)}, {where} the band that is wished for, {band[2].string}",
            arithmetic=f"{shown(line.number)} < {shown(band[1])}",
            paste=paste,
            remedy="" if paste else "wish for less than 100 %, or take the alert away",
            also=(band[2].place,),
        )


def inside(survey: Survey, alert: Alert) -> bool:
    """Whether an alert is on while its nodes are as busy as they should be."""
    band = band_of(survey, alert.band)
    return band is not None and band[0] <= band[1] and alert.lowest.is_share and alert.lowest.number < band[1] and (
        not disordered(alert)
    )  # fmt: skip
