"""Triggers that follow what nobody says: a share of no limit, or a metric without a definition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.crowds import resources
from bayplan.check.paste import flow
from bayplan.check.rule import Rule
from bayplan.check.triggers import base_of, shown, triggers
from bayplan.finding import Severity
from bayplan.model.quantity import CPUS, GPU_MEMORY, MEMORY, PIDS, SWAP

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from bayplan.check.survey import Survey
    from bayplan.check.triggers import Trigger
    from bayplan.finding import Finding
    from bayplan.model.service import Service

RULE = Rule("scaling/nothing-to-follow", Severity.WARNING)
_MEASURED = frozenset({CPUS, MEMORY, GPU_MEMORY, SWAP, PIDS, "gpu", "gpus", "disk"})
"""What is measured of every container or card without a word in the policy."""


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each trigger that is a share of nothing, and for each that follows an unknown metric."""
    defined = {key for section in ("metrics", "alerts") if (node := survey.at(section)) for key, _ in node.items()}
    known = defined | _MEASURED | set(resources(survey.fleet))
    for service in survey.services:
        for trigger in triggers(service):
            if trigger.resource not in known:
                yield _unknown(survey, service, trigger, defined, known)
            elif trigger.resource in (CPUS, MEMORY) and trigger.of in ("limit", "request"):
                yield from _share(survey, service, trigger)


def _share(survey: Survey, service: Service, trigger: Trigger) -> Iterator[Finding]:
    if base_of(service, trigger) is not None:
        return
    resource, request = trigger.resource, service.requests.get(trigger.resource)
    guess = service.estimates.get(resource)
    path = survey.path_of(service, "limits")
    yield RULE.finding(
        trigger.node.place,
        service.name,
        f"is scaled at {shown(trigger.share)} of its {trigger.of} of {resource}, and has none",
        arithmetic=f"{shown(trigger.share)} of nothing",
        write=f"{shown(trigger.share).replace(' ', '')} of request" if request else "",
        paste=survey.paste_amount(path, resource, guess.amount, at_most=False) if guess and not request else "",
        remedy=f"or a limit: services: {{{service.name}: {{limits: {{{resource}: ...}}}}}}",
        also=(service.place,),
    )


def _unknown(
    survey: Survey, service: Service, trigger: Trigger, defined: Collection[str], known: Collection[str]
) -> Finding:
    import difflib  # noqa: PLC0415 - needed for a mistake only, and slow to import

    near = difflib.get_close_matches(trigger.resource, sorted(known), 1)
    target = {trigger.resource: None, near[0]: trigger.node.value} if near else {}
    return RULE.finding(
        trigger.node.place,
        service.name,
        f"is scaled by {trigger.resource}, which nobody defines",
        arithmetic=f"metrics and alerts: {', '.join(sorted(defined)) or 'none'}",
        remedy="" if near else f"define it: metrics: {{{flow(trigger.resource)}: {{query: ...}}}}",
        paste=survey.paste(survey.path_of(service, "scale", "on"), target) if near else "",
        also=(service.place,),
    )
