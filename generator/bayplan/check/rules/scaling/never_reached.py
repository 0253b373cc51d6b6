"""Triggers that nothing reaches: a share of more than a copy may ever take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.check.triggers import of_limit, shown, triggers
from bayplan.finding import Severity
from bayplan.model import units

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.check.triggers import Trigger
    from bayplan.finding import Finding
    from bayplan.model.service import Service

RULE = Rule("scaling/never-reached", Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each trigger at the limit of a copy or above it."""
    for service in survey.services:
        for trigger in triggers(service):
            share = trigger.share if trigger.of == "replicas" else of_limit(service, trigger)
            if share is not None and share >= 1:
                yield _finding(service, trigger)


def _finding(service: Service, trigger: Trigger) -> Finding:
    request, limit = (half.get(trigger.resource) for half in (service.requests, service.limits))
    base = {"request": request or limit, "limit": limit}.get(trigger.of)
    said = f"{shown(trigger.share)} of its {trigger.of}"
    if base is None or limit is None:
        arithmetic, most = f"{shown(trigger.share)} >= 100 %", "all copies are busy at 100 %"
    else:
        at, most = (
            units.show(trigger.resource, int(trigger.share * base.amount)),
            "it may never take more than its limit",
        )
        whole = units.show(trigger.resource, base.amount)
        arithmetic = f"{shown(trigger.share)} of {whole} = {at} >= {units.show(trigger.resource, limit.amount)}"
    return RULE.finding(
        trigger.node.place,
        service.name,
        f"gets copies above {said} in {trigger.resource}, which nothing reaches: {most}",
        arithmetic=arithmetic,
        write="80% of replicas" if trigger.of == "replicas" else "80% of limit",
        also=tuple(one.place for one in (request, limit) if one is not None),
    )
