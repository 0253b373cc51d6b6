"""Services of which nobody asks whether they work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.caches import image_name
from bayplan.check.compose_lines import by_project, laid_each, line, listed
from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.model.service import Service

RULE = Rule("security/no-health-check", Severity.NOTE)
_PROBES = {
    "mysql": ["CMD", "mysqladmin", "ping"],
    "postgres": ["CMD", "pg_isready"],
    "rabbitmq": ["CMD", "rabbitmq-diagnostics", "-q", "ping"],
    "redis": ["CMD", "redis-cli", "ping"],
    "valkey": ["CMD", "valkey-cli", "ping"],
}
"""What some images bring along to ask themselves."""


def check(survey: Survey) -> Iterator[Finding]:
    """Yield one finding for each project whose services have neither a health check nor a probe."""
    silent = [
        (one, one.place) for one in survey.services if not watched(survey, one) and not starts_on_demand(survey, one)
    ]
    for some in by_project(silent).values():
        first, place = some[0]
        count = f", as {len(some) - 1} more of its project" if len(some) > 1 else ""
        known = [(one, {"test": test, "interval": "30s"}) for one, _ in some if (test := probe(one))]
        yield RULE.finding(
            place,
            first.name,
            f"has no health check in any file{count}: a rollout can only see that it did not end",
            arithmetic=listed(some),
            paste=laid_each(survey, "healthcheck", known) if len(known) == len(some) else "",
            remedy="ask it what its users ask of it, under compose: healthcheck: {test: [CMD, …], interval: 30s}",
            also=tuple(at for _, at in some[1:]),
        )


def probe(service: Service) -> list[str]:
    """Return how the image of a service asks itself whether it works, or nothing."""
    return _PROBES.get(image_name(service.image), [])


def watched(survey: Survey, service: Service) -> bool:
    """Whether a service has a health check that runs, a probe of the policy, or one that is built into its image."""
    test = line(service, "healthcheck", "test")
    disabled = line(service, "healthcheck", "disable")
    words = [one.string for one in test] if test is not None else []
    said = words or ([test.string] if test is not None and not test.is_list else [])
    off = said[:1] == ["NONE"] or said[:2] == ["CMD-SHELL", "NONE"] or (disabled is not None and disabled.value is True)
    image = survey.images.get(service.name)
    asks = any(said) or (image is not None and image.asks)
    return (asks and not off) or any(path[:2] == ("health", "probe") for path in service.settings)


def starts_on_demand(survey: Survey, service: Service) -> bool:
    """Whether a service runs only when somebody asks for it, who then sees what it does."""
    pool = survey.fleet.pools.get(service.pool)
    return pool is not None and pool.scaling == "on-demand"
