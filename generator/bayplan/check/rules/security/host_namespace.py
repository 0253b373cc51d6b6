"""Containers that share memory, users or control groups with their machine."""

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

RULE = Rule("security/host-namespace", Severity.WARNING)
_SHARED = {
    "ipc": "the shared memory of every other program there",
    "userns_mode": "its users: root inside is root outside",
    "uts": "its host name, which it can change",
    "cgroup": "its control groups, which hold the limits of all",
}
"""What stands in a Compose file → what the container then has of the machine."""


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each namespace of its machine that a service is put into, beside network and processes."""
    for service in survey.services:
        for key, what in _SHARED.items():
            found = line(service, key)
            if found is not None and found.value == "host":
                yield RULE.finding(
                    found.place,
                    service.name,
                    f"has {key}: host, and with it {what}",
                    paste=laid(survey, service, key, RESET),
                    remedy="two containers that share memory can share their own: ipc: shareable, ipc: service:NAME"
                    if key == "ipc"
                    else "",
                )
