"""Services that wait for another to be done which never is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.compose_lines import line
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model.names import Name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("network/never-ends", Severity.WARNING)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each wait for the end of a service that Docker starts again whenever it ends."""
    for service in survey.services:
        for edge in service.depends_on:
            other = survey.fleet.services.get(Name(service.name.project, edge.name))
            restart = line(other, "restart") if other is not None else None
            if edge.condition != "service_completed_successfully" or other is None or restart is None:
                continue
            if restart.string not in ("always", "unless-stopped"):
                continue
            yield RULE.finding(
                edge.place,
                service.name,
                f"waits until {other.name.name} has ended, which is started again whenever it ends",
                arithmetic=f"restart: {restart.string}",
                paste=survey.paste(survey.path_of(other, "compose", "restart"), "on-failure"),
                also=(restart.place,),
            )
