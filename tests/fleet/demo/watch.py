"""How full the nodes are, every two seconds, while others work on them; and the one rule that holds all the time."""

from __future__ import annotations

import json
import shlex
import subprocess
import threading
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from lab import Node

PROGRAM = Path(__file__).with_name("on_node.py")
EVERY = 2.0
GAP = 120.0
"""A container that is away for less than this, in seconds, is being replaced: its place is not free."""


@dataclass(frozen=True)
class Sample:
    """What runs on a node at a moment: `project/service/number` → its memory limit, None without one."""

    at: float
    running: Mapping[str, int | None]


@dataclass(frozen=True)
class Level:
    """How full a node is: the limits of what runs, and what is kept."""

    at: float
    amount: int


@dataclass
class Watcher:
    """Follows one node over one SSH session."""

    node: Node
    begin: float
    samples: list[Sample] = field(default_factory=list)
    _thread: threading.Thread | None = None
    _session: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        line = f"sudo -n python3 -u -c {shlex.quote(PROGRAM.read_text(encoding='utf-8'))} watch {EVERY}"
        words = ["ssh", "-F", str(self.node.ssh_config), self.node.name, line]
        self._session = subprocess.Popen(words, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()
        return self

    def _follow(self) -> None:
        assert self._session is not None
        assert self._session.stdout is not None
        for line in self._session.stdout:
            self.samples.append(Sample(time.monotonic() - self.begin, json.loads(line)))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._session is not None
        self._session.terminate()
        self._session.wait()
        if self._thread:
            self._thread.join()
        if self._session.stdout:
            self._session.stdout.close()


def levels(samples: Sequence[Sample], later: Mapping[str, int], reserve: int) -> list[Level]:
    """Return how full a node was at each sample.

    Args:
        samples: what ran there, in order.
        later: `project/service` → the limit that an unbounded container is going to have, and is counted with.
        reserve: what is kept for others.
    """
    filled = _without_gaps(samples)
    return [
        Level(sample.at, reserve + sum(_charge(key, limit, later) for key, limit in running.items()))
        for sample, running in zip(samples, filled, strict=True)
    ]


def _charge(key: str, limit: int | None, later: Mapping[str, int]) -> int:
    return limit if limit is not None else later.get(key.rpartition("/")[0], 0)


def _without_gaps(samples: Sequence[Sample]) -> list[dict[str, int | None]]:
    """Return what runs at each sample, a container that is being replaced counted as what it becomes."""
    filled = [dict(sample.running) for sample in samples]
    seen: dict[str, int] = {}
    for index, sample in enumerate(samples):
        for key, limit in sample.running.items():
            last = seen.get(key, index)
            if sample.at - samples[last].at <= GAP:
                for missing in range(last + 1, index):
                    filled[missing][key] = limit
            seen[key] = index
    return filled


def breaches(found: Sequence[Level], line: int) -> list[tuple[Level, Level]]:
    """Return where a node became fuller and was over its line: from which level to which."""
    return [(before, after) for before, after in pairwise(found) if line < after.amount > before.amount]
