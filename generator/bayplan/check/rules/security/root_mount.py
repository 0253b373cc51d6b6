"""Containers that may write to the system folders of their machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("security/root-mount", Severity.WARNING)
_SYSTEM = frozenset({"/", "/etc", "/root", "/boot", "/usr", "/bin", "/sbin", "/lib", "/var/lib/docker"})


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each mount of a system folder that is not read-only."""
    for service in survey.services:
        for mount in service.mounts:
            if mount.kind == "bind" and not mount.read_only and (mount.source.rstrip("/") or "/") in _SYSTEM:
                yield RULE.finding(
                    mount.place,
                    service.name,
                    f"may write to {mount.source} of its machine",
                    remedy=f"mount it read-only ({mount.source}:{mount.target}:ro), or only the folder that it needs",
                )
