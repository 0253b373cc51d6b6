"""Containers that may write to the system folders of their machine."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from bayplan.check.compose_lines import host_paths, instead, laid, other_mounts
from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.compose_lines import HostPath
    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("security/root-mount", Severity.WARNING)
_SYSTEM = frozenset(
    {
        "/", "/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/root", "/sbin", "/sys", "/usr", "/usr/bin",
        "/usr/sbin", "/var", "/var/lib", "/var/lib/docker", "/root/.ssh",
    }
)  # fmt: skip
_TRUSTED = re.compile(
    r"/etc/(?:passwd|shadow|group|gshadow|sudoers(?:\.d)?|cron[\w.-]*|crontab|systemd|init\.d|ssh|pam\.d|docker|"
    r"ld\.so[\w.]*|profile(?:\.d)?|environment)(?:/.*)?"
)
"""What of /etc makes somebody root who may write it."""


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service with system folders that are not read-only, at the first of them."""
    for service in survey.services:
        found = [one for one in host_paths(survey, service) if _is_open(one)]
        if not found:
            continue
        closed = [f"{one.mount.source}:{one.mount.target}:ro" for one in found]
        path = survey.path_of(service, "compose", "volumes")
        yield RULE.finding(
            found[0].place,
            service.name,
            f"may write to {', '.join(one.path for one in found)} of its machine",
            # Compose replaces a mount by another of the same target; what the policy says already, a fragment replaces.
            paste=laid(
                survey,
                service,
                "volumes",
                closed
                if survey.said(path) is None
                else instead([*other_mounts(service, (one.mount for one in found)), *closed]),
            ),
            remedy="mount it read-only, or only the folder that it needs",
            also=tuple(one.place for one in found[1:]),
        )


def _is_open(one: HostPath) -> bool:
    return not one.mount.read_only and _is_system(posixpath.normpath(one.path))


def _is_system(path: str) -> bool:
    return path in _SYSTEM or _TRUSTED.fullmatch(path) is not None
