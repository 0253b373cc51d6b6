"""Running programs on the node."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ansible_collections.bayplan.fleet.plugins.module_utils.errors import NodeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PACKAGES = {"rsync": "rsync", "ssh-keygen": "openssh-client", "systemctl": "systemd", "docker": "docker.io"}


@dataclass(frozen=True)
class Done:
    """A program that ended."""

    code: int
    out: str
    err: str

    @property
    def last(self) -> str:
        """Return the last thing that it said: programs explain themselves at the end."""
        lines = [line.strip() for line in (self.err or self.out).splitlines() if line.strip()]
        return " | ".join(lines[-3:])


def run(
    words: Sequence[str],
    *,
    check: bool = True,
    timeout: float | None = None,
    text: str | None = None,
    env: Mapping[str, str] | None = None,
) -> Done:
    """Run a program to its end.

    Raises:
        NodeError: if it is not there, takes longer than `timeout`, or, with `check`, ends with another code than 0.
    """
    try:
        done = subprocess.run(  # noqa: S603 - a list of words: no shell reads them
            list(words),
            input=text,
            stdin=subprocess.DEVNULL if text is None else None,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
            env={**os.environ, "LC_ALL": "C.UTF-8", **(env or {})},
            check=False,
        )
    except FileNotFoundError as fault:
        package = _PACKAGES.get(words[0], words[0])
        raise NodeError(f"there is no {words[0]} on this node", f"install the package {package}") from fault
    except subprocess.TimeoutExpired as fault:
        raise NodeError(f"`{' '.join(words[:4])}` did not end within {timeout:g} s") from fault
    ended = Done(done.returncode, done.stdout, done.stderr)
    if check and ended.code:
        raise NodeError(f"`{' '.join(words)}` ended with {ended.code}: {ended.last}", code=ended.code)
    return ended
