"""One network for everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model.names import Name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("network/flat", Severity.NOTE)
MOST = 40
"""Services on one network above which it is worth a word."""


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a note for each network that more than forty services of one node are on."""
    members: dict[Name, int] = {}
    for service in survey.services:
        for link in service.networks:
            name = Name(service.name.project, link.network)
            members[name] = members.get(name, 0) + 1
    for name, many in sorted(members.items()):
        network = survey.fleet.networks.get(name)
        if network is None or many <= MOST:
            continue
        yield RULE.finding(
            network.place,
            name,
            f"has {many} services: each reaches every port of all others",
            arithmetic=f"{many} services, {many * (many - 1) // 2} pairs",
            remedy="give what talks to each other a network of its own; a service may be on several",
        )
