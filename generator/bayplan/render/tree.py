"""The only file writer: a tree of texts to disk, whole or not at all.

Every file is written beside its target first, all are renamed into place only when all are written, and only what the
last manifest lists is ever removed. Two runs on one tree wait for each other.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import signal
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from bayplan.errors import OutputError, StaleError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MANIFEST = "manifest.json"
SCHEMA_VERSION = 1
_PART = ".bayplan-part"


@dataclass(frozen=True, slots=True)
class Difference:
    """How a tree on disk differs from the one that should be there; paths relative to the tree."""

    missing: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    surplus: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is any difference."""
        return bool(self.missing or self.changed or self.surplus)

    def lines(self) -> list[str]:
        """Return one line for each file that differs."""
        marked = [("+", path) for path in self.missing] + [("~", path) for path in self.changed]
        return [f"{mark} {path}" for mark, path in sorted(marked + [("-", path) for path in self.surplus])]


def manifest(files: Mapping[str, str], facts: Mapping[str, Any]) -> str:
    """Return the manifest of a tree: path → sha256 of every other file, and the volatile facts that stand only here."""
    sums = {path: hashlib.sha256(text.encode()).hexdigest() for path, text in sorted(files.items())}
    return json.dumps({"schema_version": SCHEMA_VERSION, **facts, "files": sums}, indent=2, sort_keys=True) + "\n"


def listed(root: Path) -> tuple[str, ...]:
    """Return the files that the manifest of a tree lists: all that may ever be removed there.

    Raises:
        StaleError: if a newer version wrote the manifest.
    """
    try:
        data = json.loads((root / MANIFEST).read_text(encoding="utf-8"))
        version, files = data["schema_version"], tuple(data["files"])
    except FileNotFoundError:
        return ()
    except (ValueError, KeyError, TypeError, OSError) as fault:
        msg = f"{root / MANIFEST} cannot be read ({fault}); restore it, or remove the folder and compile again"
        raise OutputError(msg) from fault
    if version > SCHEMA_VERSION:
        msg = f"{root / MANIFEST} was written by a newer bayplan (schema_version {version}); use that one"
        raise StaleError(msg)
    return tuple(path for path in files if _is_inside(path))


def _is_inside(path: str) -> bool:
    pure = PurePosixPath(path)
    return not pure.is_absolute() and ".." not in pure.parts


def difference(root: Path, files: Mapping[str, str]) -> Difference:
    """Return how the tree on disk differs from `files` (the manifest's volatile facts left aside)."""
    missing, changed = [], []
    for path, text in sorted(files.items()):
        try:
            there = (root / path).read_text(encoding="utf-8")
        except FileNotFoundError:
            missing.append(path)
            continue
        except (OSError, UnicodeDecodeError):
            there = ""
        if there != text:
            changed.append(path)
    surplus = [path for path in listed(root) if path not in files and (root / path).exists()]
    return Difference(tuple(missing), tuple(changed), tuple(sorted(surplus)))


def write(root: Path, files: Mapping[str, str], facts: Mapping[str, Any]) -> Difference:
    """Write a tree, prune what the last manifest lists and this one does not, and say what changed.

    Raises:
        OutputError: if it cannot be written; what was there before is still there then.
        StaleError: if a newer version wrote the tree.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        with _alone(root):
            changes = difference(root, files)
            whole = {**files, MANIFEST: manifest(files, facts)}
            stale = [*changes.missing, *changes.changed]
            if (root / MANIFEST).exists() and (root / MANIFEST).read_text(encoding="utf-8") == whole[MANIFEST]:
                whole.pop(MANIFEST)
            _replace(root, {path: text for path, text in whole.items() if path in stale or path == MANIFEST})
            _prune(root, changes.surplus)
    except OSError as fault:
        msg = f"cannot write {root}: {fault.strerror or fault}; nothing was changed there"
        raise OutputError(msg) from fault
    return changes


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Hold the tree's lock: a second run waits, so that two never mix their files."""
    handle = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _replace(root: Path, files: Mapping[str, str]) -> None:
    parts: list[tuple[Path, Path]] = []
    try:
        for path, text in files.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_name(f".{target.name}{_PART}")
            parts.append((part, target))
            with part.open("w", encoding="utf-8", newline="\n") as handle:
                handle.write(text)
                handle.flush()
                os.fsync(handle.fileno())
        with _undisturbed():
            for part, target in parts:
                part.replace(target)
    finally:
        for part, _ in parts:
            part.unlink(missing_ok=True)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Hold Ctrl-C back for the few renames: before them nothing is changed, after them everything is."""
    try:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    except (AttributeError, ValueError):
        yield
        return
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _prune(root: Path, surplus: tuple[str, ...]) -> None:
    for path in surplus:
        (root / path).unlink(missing_ok=True)
        parent = (root / path).parent
        while parent != root and not any(parent.iterdir()):
            parent.rmdir()
            parent = parent.parent
