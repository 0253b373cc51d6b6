"""Running programs, waiting for what they start, and one at a time where it matters."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path


class LabError(Exception):
    """The lab cannot do what it was asked for; the sentence says why, and what helps."""


class CommandError(LabError):
    """A program said no."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.done = done
        self.returncode = done.returncode
        command = " ".join(done.args)
        super().__init__(f"`{command}` ended with {done.returncode}:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")


def run(
    command: Sequence[str],
    *,
    check: bool = True,
    text: str | None = None,
    timeout: float | None = 600,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end and return what it said; `text` is its standard input."""
    stdin = {"stdin": subprocess.DEVNULL} if text is None else {"input": text}
    done = subprocess.run(  # the callers decide by `check`, with a better sentence
        list(command),
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=timeout,
        env=None if env is None else dict(env),
        check=False,
        **stdin,
    )
    if check and done.returncode:
        raise CommandError(done)
    return done


def wait_for(what: str, ready: Callable[[], bool], *, seconds: float = 60, pause: float = 0.1) -> None:
    """Ask until the answer is yes; past `seconds`, `what` is the error."""
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise LabError(f"{what}: not within {seconds:g} s.")
        time.sleep(pause)


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Hold a file lock: of several processes, one at a time is in the block."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Say on stderr what took how long: building is slow enough to ask what it is doing."""
    start = time.monotonic()
    yield
    sys.stderr.write(f"lab: {what}: {time.monotonic() - start:.1f} s\n")
    sys.stderr.flush()
