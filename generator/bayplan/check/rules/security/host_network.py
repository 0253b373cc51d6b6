"""Containers that share the network of their machine."""

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

RULE = Rule("security/host-network", Severity.WARNING)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service with network_mode: host."""
    for service in survey.services:
        found = line(service, "network_mode")
        if found is not None and found.value == "host":
            yield RULE.finding(
                found.place,
                service.name,
                "has the network of the whole machine: it reaches every port of it, and its own are all published",
                paste=laid(survey, service, "network_mode", RESET),
                remedy="publish the ports that it needs",
            )
