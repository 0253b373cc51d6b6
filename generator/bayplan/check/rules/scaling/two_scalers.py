"""Things that scale one service and do not agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.check.triggers import triggers
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.check.triggers import Trigger
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
    percent = down.string.rstrip("%").strip() if down is not None else ""
    shares = [one for one in triggers(service) if one.of]
    if down is None or not percent.replace(".", "", 1).isdigit() or not shares:
        return
    lowest: Trigger = min(shares, key=lambda one: one.share)
    if float(percent) < float(lowest.share * 100):
        return
    up = f"{float(lowest.share * 100):g}%"
    yield RULE.finding(
        down.place,
        service.name,
        f"takes copies away below {down.string} and adds them above {up} of {lowest.resource}: both at once",
        arithmetic=f"down {down.string} >= up {up}",
        write=f"{float(lowest.share * 50):g}%",
        also=(lowest.node.place,),
    )


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
