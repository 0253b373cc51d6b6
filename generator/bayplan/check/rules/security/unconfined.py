"""Containers whose system calls nobody looks at any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.compose_lines import instead, laid, line
from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("security/unconfined", Severity.WARNING)
_OFF = frozenset({"seccomp=unconfined", "apparmor=unconfined", "systempaths=unconfined", "label=disable"})


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service that switches off what Docker confines containers with."""
    for service in survey.services:
        said = tuple(line(service, "security_opt") or ())
        off = [one for one in said if one.string.strip().lower().replace(":", "=", 1) in _OFF]
        if off:
            left = [one.string for one in said if one not in off]
            yield RULE.finding(
                off[0].place,
                service.name,
                f"runs with {', '.join(one.string for one in off)}: what Docker forbids all others, it may do",
                paste=laid(survey, service, "security_opt", instead(left)),
                remedy="a profile of its own (seccomp:FILE) can allow the one call that it needs",
                also=tuple(one.place for one in off[1:]),
            )
