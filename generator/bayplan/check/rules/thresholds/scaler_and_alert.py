"""Scalers that act above an alert's line: the alert comes before the help."""

from __future__ import annotations

import re
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

from bayplan.check.alerts import WHOLE, above, alerts, meant, shown
from bayplan.check.rule import Rule
from bayplan.check.rules.thresholds.warning_over_critical import disordered
from bayplan.check.triggers import of_limit, triggers
from bayplan.finding import Place, Severity
from bayplan.model.quantity import CPUS, MEMORY
from bayplan.policy.values import word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.alerts import Alert
    from bayplan.check.survey import Survey
    from bayplan.check.triggers import Trigger
    from bayplan.finding import Finding
    from bayplan.model.service import Service

RULE = Rule("thresholds/scaler-and-alert", Severity.WARNING)
_STEP = 5


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each target of scalers above the line of an alert on the same use; alike ones together."""
    watched = {
        what: one
        for one in alerts(survey)
        for whose, what in [meant(one.name)]
        if whose == "service" and what in (CPUS, MEMORY) and not disordered(one)
    }
    above_line: dict[tuple[str, Fraction], dict[Place, tuple[Service, Trigger]]] = {}
    for service in survey.services if watched else ():
        for trigger in triggers(service):
            alert = watched.get(trigger.resource)
            part = of_limit(service, trigger)
            share = part * WHOLE if part is not None else Fraction(0)
            if alert is not None and alert.lowest.is_share and alert.lowest.number < share <= WHOLE:
                alike = above_line.setdefault((trigger.resource, share), {})
                alike.setdefault(trigger.node.place, (service, trigger))
    for (resource, share), alike in above_line.items():
        yield _told(survey, list(alike.values()), share, watched[resource])


def _told(survey: Survey, alike: list[tuple[Service, Trigger]], share: Fraction, alert: Alert) -> Finding:
    service, trigger = alike[0]
    line = max((one for one in alert.lines if one.number < share), key=lambda one: one.number)
    lower = _lowered(service, trigger, share, alert.lowest.number) if len(alike) == 1 else ""
    sums = f"{trigger.node.string} = {shown(share)} of limit" if trigger.of == "request" else shown(share)
    more = f", as {len(alike) - 1} more do" if len(alike) > 1 else ""
    return RULE.finding(
        trigger.node.place,
        service.name,
        f"gets copies above {trigger.node.string}{more}, but alerts.{alert.name} is {line.key} above "
        f"{shown(line.number)}",
        arithmetic=f"{sums} > {shown(line.number)}",
        write=lower,
        paste="" if lower else above(survey, alert, share),
        also=(line.node.place, *(other.node.place for _, other in alike[1:])),
    )


def _lowered(service: Service, trigger: Trigger, share: Fraction, line: Fraction) -> str:
    """Return a target a step below an alert's line, or nothing where copies would then be taken away before."""
    number = floor((line - _STEP) * trigger.share * WHOLE / share)
    down = re.match(r"[0-9.]+", word(service.settings.get(("scale", "down"))))
    if number <= 0 or (down and Fraction(down[0]) >= number):
        return ""
    return f"{number}% of {trigger.of}" if "of" in trigger.node.string else f"{number}%"
