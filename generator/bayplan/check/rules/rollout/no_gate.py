"""Services that move, and of which nobody can ask whether they arrived well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.compose_lines import by_project, listed
from bayplan.check.rule import Rule
from bayplan.check.rules.security.no_health_check import watched
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.model.names import Name
    from bayplan.model.service import Service

RULE = Rule("rollout/no-gate", Severity.WARNING)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield one finding for each project with services that move without a health check or a probe."""
    blind = [(one, one.place) for one in moving(survey) if not watched(survey, one)]
    for some in by_project(blind).values():
        first, place = some[0]
        count = f", as do {len(some) - 1} more" if len(some) > 1 else ""
        yield RULE.finding(
            place,
            first.name,
            f"moves without a health check{count}: the gate after the move can only see that it did not end",
            arithmetic=listed(some),
            remedy=f"services: {{{first.name}: {{compose: {{healthcheck: {{test: [CMD, …], interval: 10s}}}}}}}}",
            also=tuple(at for _, at in some[1:]),
        )


def moving(survey: Survey) -> Iterator[Service]:
    """Yield the services that stand somewhere today and should stand elsewhere, by name."""
    today: dict[Name, set[str]] = {}
    for copy, seat in survey.before.seats.items():
        today.setdefault(copy.service, set()).add(seat.node)
    for service in survey.services:
        here = today.get(service.name)
        if here and not set(survey.nodes_of.get(service.name, ())) <= here:
            yield service
