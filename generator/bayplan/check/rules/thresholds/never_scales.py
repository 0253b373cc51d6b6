"""Targets of scalers above 100 % of the limit: no copy ever gets there, so none is ever added."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.alerts import WHOLE, shown
from bayplan.check.rule import Rule
from bayplan.check.triggers import of_limit, triggers
from bayplan.finding import Severity
from bayplan.model.quantity import CPUS, MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding, Place

RULE = Rule("thresholds/never-scales", Severity.ERROR)
_USUAL = 70


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each target in CPUs or memory that is more than the limit, once for a line."""
    said: set[Place] = set()
    for service in survey.services:
        for trigger in triggers(service):
            share = of_limit(service, trigger) if trigger.resource in (CPUS, MEMORY) else None
            if share is None or share <= WHOLE or trigger.node.place in said:
                continue
            said.add(trigger.node.place)
            of = f"{trigger.node.string} = {shown(share)} of limit" if trigger.of == "request" else shown(share)
            yield RULE.finding(
                trigger.node.place,
                service.name,
                f"gets copies above {trigger.node.string} of {trigger.resource}, which no copy reaches under its limit",
                arithmetic=f"{of} > {WHOLE} %",
                write=f"{_USUAL}% of limit",
            )
