"""Containers with capabilities that come close to being root on the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.compose_lines import line, overlay
from bayplan.check.paste import flow
from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("security/capabilities", Severity.WARNING)
_MIGHTY = frozenset({"ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO", "DAC_READ_SEARCH", "BPF"})


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each such capability that a service adds."""
    for service in survey.services:
        added = tuple(line(service, "cap_add") or ())
        for one in added:
            if one.string.upper().removeprefix("CAP_") not in _MIGHTY:
                continue
            left = [other.string for other in added if other is not one]
            yield RULE.finding(
                one.place,
                service.name,
                f"adds the capability {one.string}, with which a container can take over its machine",
                paste=overlay(survey, service, "cap_add", f"!override {flow(left)}"),
            )
