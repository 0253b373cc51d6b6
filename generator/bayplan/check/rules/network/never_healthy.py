"""Services that wait for another to be healthy which has no health check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.check.rules.security.no_health_check import watched
from bayplan.finding import Severity
from bayplan.model.names import Name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("network/never-healthy", Severity.WARNING)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each such wait; an image may bring a health check of its own, which nobody sees here."""
    for service in survey.services:
        for edge in service.depends_on:
            other = survey.fleet.services.get(Name(service.name.project, edge.name))
            if edge.condition != "service_healthy" or other is None or watched(survey, other):
                continue
            yield RULE.finding(
                edge.place,
                service.name,
                f"waits until {other.name.name} is healthy, which has no health check unless its image has one",
                paste=survey.paste(
                    survey.path_of(service, "compose", "depends_on", other.name.name, "condition"), "service_started"
                ),
                remedy=f"give {other.name.name} a health check, or wait until it is started; "
                "healthcheck: {disable: false} says that its image has one",
                also=(other.place,),
            )
