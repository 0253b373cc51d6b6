"""What happened when: printed while it happens, kept for the record."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TextIO


@dataclass(frozen=True)
class Entry:
    """One line: seconds since the start, what, where, and with which numbers."""

    at: float
    what: str
    node: str = ""
    numbers: str = ""

    def __str__(self) -> str:
        return f"{self.at:7.1f} s  {self.what:<28} {self.node:<10} {self.numbers}".rstrip()


@dataclass
class Timeline:
    """Prints and keeps entries; any thread may speak."""

    out: TextIO
    begin: float = field(default_factory=time.monotonic)
    entries: list[Entry] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def now(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self.begin

    def say(self, what: str, node: str = "", numbers: str = "") -> None:
        """Add an entry for now."""
        entry = Entry(self.now(), what, node, numbers)
        with self._lock:
            self.entries.append(entry)
            print(entry, file=self.out, flush=True)
