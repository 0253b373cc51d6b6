"""A proxy that runs: tested, told to read its files again, and watched until its old workers are gone."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.bayplan.fleet.plugins.module_utils import containers, engine
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import NodeError
from ansible_collections.bayplan.fleet.plugins.module_utils.moment import seconds_of

_WORKER = "nginx: worker process"
_PAUSE = 0.05
_LATER = 1.0
"""How much younger a file may be than a container that read it: clocks of files are coarse."""


@dataclass(frozen=True)
class Proxy:
    """The container of a proxy.

    Attributes:
        id: its id.
        started: when, in seconds since 1970.
    """

    id: str
    started: float

    @classmethod
    def of(cls, service: str) -> Proxy | None:
        """Return the running container of `project/service`; None: none runs."""
        project, slash, name = service.partition("/")
        if not slash:
            raise NodeError(f"'{service}' is not project/service", "give container as shop/edge-web")
        running = [one for one in engine.of_service(project, name) if containers.is_running(one)]
        return cls(running[0]["Id"], seconds_of(running[0]["State"]["StartedAt"])) if running else None

    def refusal(self) -> str:
        """Return why nginx does not take its files; empty: it takes them."""
        done = engine.docker("exec", self.id, "nginx", "-t", check=False)
        return done.last if done.code else ""

    def workers(self) -> dict[int, str]:
        """Return the workers: process → when it began, so that a number used again is not taken for the old one."""
        listed = engine.docker("top", self.id, "-eo", "pid,args").out.splitlines()[1:]
        numbers = [int(line.split(None, 1)[0]) for line in listed if _WORKER in line]
        return {number: began for number in numbers if (began := _began(number))}

    def reload(self) -> None:
        """Tell nginx to read its files again. It returns before anything has changed."""
        engine.docker("exec", self.id, "nginx", "-s", "reload")

    def read(self, file: Path) -> bool:
        """Whether the container read a file when it started: it has not been written since."""
        return file.stat().st_mtime + _LATER < self.started


def left(workers: dict[int, str]) -> dict[int, str]:
    """Return those of the workers that still run."""
    return {number: began for number, began in workers.items() if _began(number) == began}


def gone(workers: dict[int, str], deadline: float) -> bool:
    """Wait until workers are gone; whether they are before the deadline, on the clock `time.monotonic`."""
    while left(workers):
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE)
    return True


def _began(number: int) -> str:
    """Return when a process began, in ticks since boot; empty: there is none."""
    try:
        stat = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]
