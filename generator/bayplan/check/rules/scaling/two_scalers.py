"""Things that scale one service and do not agree."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.check.triggers import of_limit, read_trigger, triggers
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.model.service import Service
    from bayplan.source import Node

RULE = Rule("scaling/two-scalers", Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each line of a `scale:` that says the opposite of another one."""
    for service in survey.services:
        if service.replicas.scaled:
            yield from _down(survey, service)
            yield from _schedule(survey, service)


def _down(survey: Survey, service: Service) -> Iterator[Finding]:
    """Copies go below `down` and come above a trigger: where both overlap, they come and go for ever."""
    down = survey.settings_of(service, "scale", "down")
    if down is None:
        return
    for trigger in sorted(triggers(service), key=lambda one: one.share):
        below = read_trigger(trigger.resource, down)
        if below is None or bool(below.of) != bool(trigger.of):
            continue
        if " of " not in down.string:  # a share of what copies are added by
            below = replace(below, of=trigger.of)
        here, there = (of_limit(service, one) if one.of else one.share for one in (below, trigger))
        if below.of == trigger.of:
            here, there = below.share, trigger.share
        if here is None or there is None or here < there:
            continue
        unit = f"% of {below.of}" if " of " in down.string else "%" if below.of else ""
        half = float(below.share * there / here / 2 * (100 if below.of else 1))
        yield RULE.finding(
            down.place,
            service.name,
            f"takes copies away below {down.string} and adds them above {trigger.node.string} of {trigger.resource}: "
            "both at once",
            arithmetic=f"down {down.string} >= up {trigger.node.string}",
            write=f"{half:g}{unit}",
            also=(trigger.node.place,),
        )
        return


def _schedule(survey: Survey, service: Service) -> Iterator[Finding]:
    schedule = survey.settings_of(service, "scale", "schedule")
    bounded = survey.settings_of(service, "scale", "max") or survey.settings_of(service, "scale", "min")
    if schedule is None or bounded is None:
        return
    for line in schedule:
        copies: Node | None = line.get("replicas")
        wanted = copies.value if copies is not None else None
        low, high = service.replicas.minimum, service.replicas.maximum
        if copies is None or not isinstance(wanted, int) or low <= wanted <= high:
            continue
        yield RULE.finding(
            copies.place,
            service.name,
            f"is to have {wanted} copies by the clock, outside of the {low} to {high} that its scale allows",
            arithmetic=f"{wanted} < {low}" if wanted < low else f"{wanted} > {high}",
            write=str(low if wanted < low else high),
            also=(bounded.place,),
        )
