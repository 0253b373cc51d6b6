"""Containers that see every process of their machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.compose_lines import laid, line
from bayplan.check.paste import RESET
from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("security/host-pid", Severity.WARNING)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service with pid: host."""
    for service in survey.services:
        found = line(service, "pid")
        if found is not None and found.value == "host":
            yield RULE.finding(
                found.place,
                service.name,
                "sees every process of the machine, with what stands in their environment",
                paste=laid(survey, service, "pid", RESET),
                remedy="leave it to agents that measure processes",
            )
