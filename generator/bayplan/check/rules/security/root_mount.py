"""Containers that may write to the system folders of their machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.compose_lines import instead, laid, other_mounts
from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.model.service import Mount

RULE = Rule("security/root-mount", Severity.WARNING)
_SYSTEM = frozenset({"/", "/etc", "/root", "/boot", "/usr", "/bin", "/sbin", "/lib", "/var/lib/docker"})


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service with system folders that are not read-only, at the first of them."""
    for service in survey.services:
        found = [mount for mount in service.mounts if _is_open(mount)]
        if not found:
            continue
        closed = [f"{mount.source}:{mount.target}:ro" for mount in found]
        path = survey.path_of(service, "compose", "volumes")
        yield RULE.finding(
            found[0].place,
            service.name,
            f"may write to {', '.join(mount.source for mount in found)} of its machine",
            # Compose replaces a mount by another of the same target; what the policy says already, a fragment replaces.
            paste=laid(
                survey,
                service,
                "volumes",
                closed if survey.said(path) is None else instead([*other_mounts(service, found), *closed]),
            ),
            remedy="mount it read-only, or only the folder that it needs",
            also=tuple(mount.place for mount in found[1:]),
        )


def _is_open(mount: Mount) -> bool:
    return mount.kind == "bind" and not mount.read_only and (mount.source.rstrip("/") or "/") in _SYSTEM
