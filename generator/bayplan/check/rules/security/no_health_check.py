"""Services of which nobody asks whether they work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.caches import image_name
from bayplan.check.compose_lines import by_project, laid_each, line, listed
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model.names import Name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding, Place
    from bayplan.model.service import Service
    from bayplan.source import Node

RULE = Rule("security/no-health-check", Severity.NOTE)
_PROBES = {
    "mysql": ["CMD", "mysqladmin", "ping"],
    "postgres": ["CMD", "pg_isready"],
    "rabbitmq": ["CMD", "rabbitmq-diagnostics", "-q", "ping"],
    "redis": ["CMD", "redis-cli", "ping"],
    "valkey": ["CMD", "valkey-cli", "ping"],
}
"""What some images bring along to ask themselves."""
_ASKING = {
    "blakeblackshear": ("frigate",), "cadvisor": ("cadvisor",), "gitlab": ("gitlab-ce", "gitlab-ee"),
    "goauthentik": ("server",), "immich-app": ("immich-machine-learning", "immich-server"),
    "itzg": ("minecraft-server",), "jellyfin": ("jellyfin",), "louislam": ("uptime-kuma",),
    "matrixdotorg": ("synapse",), "netdata": ("netdata",),
    "open-webui": ("open-webui",), "paperless-ngx": ("paperless-ngx",), "pihole": ("pihole",),
    "plexinc": ("pms-docker",), "qmcgaw": ("gluetun",), "vaultwarden": ("server",),
}  # fmt: skip
"""Owner → images whose Dockerfile is not at hand, but known to have a health check."""


def check(survey: Survey) -> Iterator[Finding]:
    """Yield one finding for each project whose services have neither a health check nor a probe."""
    ending = jobs(survey)
    silent = [
        (one, _place(one))
        for one in survey.services
        if one.name not in ending and not watched(survey, one) and not starts_on_demand(survey, one)
    ]
    for some in by_project(silent).values():
        first, place = some[0]
        count = f", as {len(some) - 1} more of its project" if len(some) > 1 else ""
        known = [(one, {"test": test, "interval": "30s"}) for one, _ in some if (test := probe(one))]
        has = "has no health check in any file" if _off(first) is None else "has its health check switched off"
        yield RULE.finding(
            place,
            first.name,
            f"{has}{count}: a rollout can only see that it did not end",
            arithmetic=listed(some),
            paste=laid_each(survey, "healthcheck", known) if len(known) == len(some) else "",
            remedy="ask it what its users ask of it, under compose: healthcheck: {test: [CMD, …], interval: 30s}",
            also=tuple(at for _, at in some[1:]),
        )


def probe(service: Service) -> list[str]:
    """Return how the image of a service asks itself whether it works, or nothing."""
    return _PROBES.get(image_name(service.image), [])


def watched(survey: Survey, service: Service) -> bool:
    """Whether a service has a health check that runs, a probe of the policy, or one that is built into its image.

    Who writes `disable: false` relies on that of the image.
    """
    test, disabled = line(service, "healthcheck", "test"), line(service, "healthcheck", "disable")
    trusted = disabled is not None and disabled.value is False
    asks = any(_words(test)) or trusted or _asks_itself(survey, service)
    return (asks and _off(service) is None) or any(path[:2] == ("health", "probe") for path in service.settings)


def _asks_itself(survey: Survey, service: Service) -> bool:
    """Whether the image of a service brings a health check, by its Dockerfile or as it is known."""
    image = survey.images.get(service.name)
    return image.asks if image is not None else brings_check(service.image)


def brings_check(image: str) -> bool:
    """Whether an image that is not built here is known to ask itself whether it works."""
    owner = image.partition("@")[0].rpartition("/")[0].rpartition("/")[2]
    return image_name(image) in _ASKING.get(owner, ())


def jobs(survey: Survey) -> frozenset[Name]:
    """Return the services that others wait for the end of: nobody asks whether they work, but whether they are done."""
    return frozenset(
        Name(one.name.project, edge.name)
        for one in survey.services
        for edge in one.depends_on
        if edge.condition == "service_completed_successfully"
    )


def _words(test: Node | None) -> list[str]:
    if test is None:
        return []
    return [one.string for one in test] if test.is_list else [test.string]


def _off(service: Service) -> Node | None:
    """Return the line that switches a health check off, or None."""
    test, disabled = line(service, "healthcheck", "test"), line(service, "healthcheck", "disable")
    if disabled is not None and disabled.value is True:
        return disabled
    words = _words(test)
    return test if words[:1] == ["NONE"] or words[:2] == ["CMD-SHELL", "NONE"] else None


def _place(service: Service) -> Place:
    """Return the line that should change: what switches a health check off, or the service."""
    off = _off(service)
    return off.place if off is not None else service.place


def starts_on_demand(survey: Survey, service: Service) -> bool:
    """Whether a service runs only when somebody asks for it, who then sees what it does."""
    pool = survey.fleet.pools.get(service.pool)
    return pool is not None and pool.scaling == "on-demand"
