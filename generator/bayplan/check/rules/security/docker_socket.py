"""Containers that are given Docker itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.compose_lines import line, overlay
from bayplan.check.paste import flow
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.policy.values import word
from bayplan.source import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("security/docker-socket", Severity.WARNING)
_SOCKETS = frozenset({"/var/run/docker.sock", "/run/docker.sock"})


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service that mounts Docker's socket; read-only makes no difference."""
    for service in survey.services:
        for mount in service.mounts:
            if mount.source not in _SOCKETS:
                continue
            others = [plain(one) for one in line(service, "volumes") or () if word(one.get("source")) != mount.source]
            yield RULE.finding(
                mount.place,
                service.name,
                "is given Docker's socket: whoever gets into it can start a container that owns the machine",
                paste=overlay(survey, service, "volumes", f"!override {flow(others)}"),
                remedy="put a proxy before it that lets through only the calls it needs, or take it away",
            )
