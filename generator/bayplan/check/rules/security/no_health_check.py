"""Services of which nobody asks whether they work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.compose_lines import by_project, line, listed
from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.model.service import Service

RULE = Rule("security/no-health-check", Severity.NOTE)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield one finding for each project whose services have neither a health check nor a probe."""
    silent = [(service, service.place) for service in survey.services if not watched(service)]
    for some in by_project(silent).values():
        first, place = some[0]
        count = f", as {len(some) - 1} more of its project" if len(some) > 1 else ""
        yield RULE.finding(
            place,
            first.name,
            f"has no health check{count}: a rollout can only see that it did not end",
            arithmetic=listed(some),
            remedy=f"services: {{{first.name}: {{compose: {{healthcheck: {{test: [CMD, …], interval: 30s}}}}}}}}",
            also=tuple(at for _, at in some[1:]),
        )


def watched(service: Service) -> bool:
    """Whether a service has a health check that runs, or a probe of the policy."""
    test = line(service, "healthcheck", "test")
    words = [one.string for one in test] if test is not None else []
    disabled = line(service, "healthcheck", "disable")
    running = bool(words or (test is not None and test.string)) and words[:1] != ["NONE"]
    off = disabled is not None and disabled.value is True
    return (running and not off) or any(path[:2] == ("health", "probe") for path in service.settings)
