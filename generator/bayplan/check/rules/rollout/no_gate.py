"""Services that move or start on demand, and of which nobody can ask whether they came up well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.compose_lines import by_project, laid_each, line, listed
from bayplan.check.rule import Rule
from bayplan.check.rules.security.no_health_check import jobs, probe, starts_on_demand, watched
from bayplan.finding import NOWHERE, Severity
from bayplan.model.names import Name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding, Place
    from bayplan.model.service import Service

RULE = Rule("rollout/no-gate", Severity.WARNING)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield one finding for each project with services that move without a health check.

    Likewise for those that start on demand to serve others, who wait for them. A job is none of these: it only runs,
    or others wait for its end.
    """
    ending = jobs(survey)
    movers = [one for one in moving(survey) if one.name not in ending]
    moved = {one.name for one in movers}
    needed = {Name(one.name.project, to.name) for one in survey.services for to in one.depends_on}
    asked = (
        one
        for one in survey.services
        if one.name not in moved and starts_on_demand(survey, one) and (one.ports or one.name in needed)
    )
    yield from _blind(
        survey, movers, "moves without a health check", "the gate after the move can only see that it did not end"
    )
    yield from _blind(
        survey, asked, "starts on demand without a health check", "nobody can tell when it is ready for who asked"
    )


def _blind(survey: Survey, services: Iterable[Service], how: str, why: str) -> Iterator[Finding]:
    blind = [(one, _place(one)) for one in services if not watched(survey, one)]
    for some in by_project(blind).values():
        first, place = some[0]
        sent = (one.placement.place for one, _ in some)
        count = f", as do {len(some) - 1} more" if len(some) > 1 else ""
        known = [(one, {"test": test, "interval": "10s"}) for one, _ in some if (test := probe(one))]
        yield RULE.finding(
            place,
            first.name,
            f"{how}{count}: {why}",
            arithmetic=listed(some),
            paste=laid_each(survey, "healthcheck", known) if len(known) == len(some) else "",
            remedy=f"services: {{{first.name}: {{compose: {{healthcheck: {{test: [CMD, …], interval: 10s}}}}}}}}",
            also=tuple(at for at in (*sent, *(at for _, at in some[1:])) if at != NOWHERE),
        )


def _place(service: Service) -> Place:
    """Return where a health check is turned off, or else the service that has none."""
    written = line(service, "healthcheck")
    return written.here if written is not None else service.place


def moving(survey: Survey) -> Iterator[Service]:
    """Yield the services that stand somewhere today and should stand elsewhere, by name."""
    today: dict[Name, set[str]] = {}
    for copy, seat in survey.before.seats.items():
        today.setdefault(copy.service, set()).add(seat.node)
    for service in survey.services:
        here = today.get(service.name)
        if here and not set(survey.nodes_of.get(service.name, ())) <= here:
            yield service
