"""The journal of a node: lines that are only ever added, each holding the digest of the one before it."""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ansible_collections.bayplan.fleet.plugins.module_utils import moment
from ansible_collections.bayplan.fleet.plugins.module_utils.files import digest, sync_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FIRST = "0" * 64


@dataclass(frozen=True)
class Read:
    """A journal as it was found: its lines, and the first thing that is wrong with it; empty: nothing is."""

    entries: tuple[dict[str, Any], ...] = ()
    why: str = ""

    @property
    def last(self) -> dict[str, Any] | None:
        """Return the last line."""
        return self.entries[-1] if self.entries else None


def entry(number: int, before: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return a line: its fields, its number, the digest of the line before, and its own."""
    line = {**fields, "seq": number, "prev": before}
    return {**line, "hash": digest(_text(line))}


def read(path: Path) -> Read:
    """Read a journal and check its chain. A torn last line was never acknowledged: it is passed over."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return Read()
    entries: list[dict[str, Any]] = []
    why, before = "", FIRST
    for number, line in enumerate(text.split("\n")[:-1], start=1):
        found = _parsed(line)
        why = why or _wrong(found, number, before)
        before = str(found.get("hash") or digest(line))
        entries.append(found)
    return Read(tuple(entries), why)


def append(path: Path, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Add a line and return it once it is on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = not path.exists()
    with path.open("ab+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        os.fchmod(file.fileno(), 0o600)
        _cut_torn(file)
        number, before = _end(file)
        line = entry(number + 1, before, {"at": moment.now(), **fields})
        file.write((_text(line) + "\n").encode())
        file.flush()
        os.fsync(file.fileno())
    if fresh:
        sync_folder(path.parent)
    return line


def _text(line: Mapping[str, Any]) -> str:
    return json.dumps(line, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _parsed(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _wrong(found: Mapping[str, Any], number: int, before: str) -> str:
    """Return what is wrong with a line; empty: nothing."""
    if not found:
        return f"line {number} is no JSON object"
    if found.get("seq") != number:
        return f"line {number} says that it is line {found.get('seq')}: lines are missing or too many"
    if found.get("prev") != before:
        return f"line {number} does not follow the line before it"
    own = {key: value for key, value in found.items() if key != "hash"}
    return "" if found.get("hash") == digest(_text(own)) else f"line {number} was changed after it was written"


def _cut_torn(file: Any) -> None:
    """Cut off what a power cut left of a line that was never finished."""
    text = _tail(file)
    if text and not text.endswith(b"\n"):
        file.truncate(file.seek(0, os.SEEK_END) - len(text.rpartition(b"\n")[2]))


def _end(file: Any) -> tuple[int, str]:
    """Return number and digest of the last line."""
    lines = _tail(file).split(b"\n")
    if len(lines) < 2:  # noqa: PLR2004 - an empty file, or a line without an end
        return 0, FIRST
    line = lines[-2].decode("utf-8", "replace")
    found = _parsed(line)
    if isinstance(found.get("seq"), int):
        return found["seq"], str(found.get("hash") or digest(line))
    file.seek(0)
    return file.read().count(b"\n"), digest(line)


def _tail(file: Any) -> bytes:
    """Return the end of a file with at least one whole line: the journal of years is not read for its last one."""
    size = file.seek(0, os.SEEK_END)
    step = 1 << 14
    while True:
        start = max(size - step, 0)
        file.seek(start)
        found: bytes = file.read(size - start)
        if start == 0 or found.count(b"\n") > 1:
            return found
        step *= 4
