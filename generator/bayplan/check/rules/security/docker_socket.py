"""Containers that are given Docker itself."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from bayplan.check.compose_lines import host_paths, instead, laid, line, other_mounts
from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.model.service import Service
    from bayplan.source import Node

RULE = Rule("security/docker-socket", Severity.WARNING)
_SOCKETS = ("/docker.sock", "/containerd.sock", "/podman.sock", "/crio.sock")
_FOLDERS = frozenset(
    {"/run", "/var/run", *(f"{run}/{one}" for run in ("/run", "/var/run") for one in ("containerd", "podman", "crio"))}
)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service that mounts Docker's socket; read-only makes no difference."""
    for service in survey.services:
        given = [one for one in host_paths(survey, service) if _holds_socket(one.path)]
        asked = line(service, "use_api_socket")
        if not given and asked is not None and asked.value is True:
            yield _asked(survey, service, asked)
        if not given:
            continue
        what = "Docker's socket" if given[0].path.endswith(_SOCKETS) else f"Docker's socket, in {given[0].path}"
        yield RULE.finding(
            given[0].place,
            service.name,
            f"is given {what}: whoever gets into it can start a container that owns the machine",
            paste=laid(survey, service, "volumes", instead(other_mounts(service, (one.mount for one in given)))),
            remedy="put a proxy before it that lets through only the calls it needs, or take it away",
            also=tuple(one.place for one in given[1:]),
        )


def _asked(survey: Survey, service: Service, asked: Node) -> Finding:
    """Return the finding for a service that lets Compose mount the socket, with the keys of who starts it."""
    return RULE.finding(
        asked.place,
        service.name,
        "is given Docker's socket and the credentials of who starts it: whoever gets into it can start a container "
        "that owns the machine",
        paste=laid(survey, service, "use_api_socket", value=False),
        remedy="put a proxy before the socket that lets through only the calls it needs",
    )


def _holds_socket(path: str) -> bool:
    return path.endswith(_SOCKETS) or posixpath.normpath(path) in _FOLDERS
