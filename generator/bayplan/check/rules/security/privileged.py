"""Containers that are root on their machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.compose_lines import laid, line
from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("security/privileged", Severity.WARNING)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service that runs privileged."""
    for service in survey.services:
        found = line(service, "privileged")
        if found is not None and found.value is True:
            yield RULE.finding(
                found.place,
                service.name,
                "runs privileged: whoever gets into it has the whole machine",
                paste=laid(survey, service, "privileged", value=False),
                remedy="name the devices and capabilities that it needs instead",
            )
