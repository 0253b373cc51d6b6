"""Paths on a host: which exist on every machine, and which policy volume covers one."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from bayplan.policy.wildcards import compiled

if TYPE_CHECKING:
    from bayplan.model.fleet import Fleet, Volume

_EXACT = {"/", "/dev", "/dev/shm", "/etc/localtime", "/etc/timezone", "/etc/hostname"}  # noqa: S108 - compared only
_BELOW = ("/proc", "/sys", "/var/run", "/run", "/var/log", "/lib/modules", "/tmp", "/var/lib/bayplan")  # noqa: S108 - compared only


def everywhere(path: str) -> bool:
    """Whether a path exists on every Docker host with a meaning of its own, so that mounting it holds nobody."""
    clean = posixpath.normpath(path)
    return clean in _EXACT or clean.endswith("/docker.sock") or any(_within(clean, top) for top in _BELOW)


def _within(path: str, top: str) -> bool:
    return path == top or path.startswith(top + "/")


def covering(fleet: Fleet, project: str, path: str) -> Volume | None:
    """Return the policy's volume that covers a bind mount of a project; the longest (narrowest) pattern wins."""
    found = [
        volume
        for name, volume in fleet.volumes.items()
        if volume.is_path and name.project in {"", project} and covers(name.name, path)
    ]
    return max(found, key=lambda volume: (len(volume.name.name), volume.name), default=None)


def covers(pattern: str, path: str) -> bool:
    """Whether a pattern (`*`, `?`, `**`, `[ab]`, `{a,b}`) names a path or a folder above it."""
    wanted = compiled(_clean(pattern).removesuffix("/**").replace("**/", "**"))
    whole = _clean(path)
    return any(wanted.fullmatch(whole[:end]) for end, sign in enumerate(f"{whole}/") if sign == "/")


def _clean(path: str) -> str:
    """Return the path without `.` steps; a relative one starts with `./`."""
    clean = posixpath.normpath(path)
    return clean if clean.startswith(("/", "~", "..", "$")) else f"./{clean}" if clean != "." else "."
