"""Services that are given at least twice what they are said to take."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model import units
from bayplan.model.quantity import CPUS, MEMORY
from bayplan.policy.estimates import guesses, read_estimates
from bayplan.policy.patterns import is_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.model.quantity import Quantity
    from bayplan.model.service import Service

RULE = Rule("capacity/slack", Severity.NOTE)
TIMES = 2
LEAST = {MEMORY: 256 * units.MIB, CPUS: 250}
"""How much must lie idle to be worth a word, in the unit of the resource."""


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a note where limits or requests are far above an estimate of the service by its name.

    Estimates by patterns and images are guesses for those of whom nothing is known.
    """
    lines, _ = read_estimates(survey.document)
    by_name = [
        replace(one, names=tuple(text for text in one.names if not is_pattern(text)), images=()) for one in lines
    ]
    first = guesses(survey.services, tuple(by_name))
    for service in survey.services:
        for resource, taken in first.get(service.name, {}).items():
            given = _given(service, resource)
            if given and given.amount >= max(TIMES * taken.amount, taken.amount + LEAST[resource]):
                yield _finding(survey, service, resource, (given, taken))


def _given(service: Service, resource: str) -> Quantity | None:
    """Return what nobody else can be given: memory up to the limit, CPUs as far as they are requested."""
    halves = (service.limits, service.requests) if resource == MEMORY else (service.requests,)
    return next((half[resource] for half in halves if resource in half), None)


def _finding(survey: Survey, service: Service, resource: str, amounts: tuple[Quantity, Quantity]) -> Finding:
    given, taken = amounts
    idle = (given.amount - taken.amount) * service.replicas.count
    each, copies = (
        f"{units.show(resource, given.amount)} - {units.show(resource, taken.amount)}",
        service.replicas.count,
    )
    whole = f"{copies} x ({each})" if copies > 1 else each
    room = taken.amount * 3 // 2  # enough for its worst hour, as far as a number without its hours can say
    halves = {"limits": service.limits, "requests": service.requests}
    said = [half for half, some in halves.items() if resource in some and some[resource].amount > room]
    wanted = {survey.path_of(service, half): room for half in said if resource == MEMORY or half == "requests"}
    return RULE.finding(
        given.place,
        service.name,
        f"is given {units.show(resource, given.amount)} of {resource}, and is said to take "
        f"{units.show(resource, taken.amount)}",
        arithmetic=f"{whole} = {units.show(resource, idle)} idle",
        paste=survey.paste_amounts(wanted, resource, at_most=False),
        remedy="or mend the estimate",
        also=(taken.place,),
    )
