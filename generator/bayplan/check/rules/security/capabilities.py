"""Containers with capabilities that come close to being root on the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.compose_lines import instead, laid, line
from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("security/capabilities", Severity.WARNING)
_MIGHTY = frozenset({"ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO", "SYS_BOOT", "DAC_READ_SEARCH", "BPF"})


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service that adds such capabilities, at the first of them."""
    for service in survey.services:
        added = tuple(line(service, "cap_add") or ())
        mighty = [one for one in added if one.string.upper().removeprefix("CAP_") in _MIGHTY]
        if not mighty:
            continue
        left = [one.string for one in added if one not in mighty]
        yield RULE.finding(
            mighty[0].place,
            service.name,
            f"adds {', '.join(one.string for one in mighty)}: that suffices to take over its machine",
            paste=laid(survey, service, "cap_add", instead(left)),
            remedy="add only what it needs, such as NET_BIND_SERVICE",
            also=tuple(one.place for one in mighty[1:]),
        )
