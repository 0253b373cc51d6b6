"""The only file writer: a tree of texts to disk, whole or not at all.

Every file is written beside its target first, all are renamed into place only when all are written, and where one of
the renames fails those before it are taken back. Only what the last manifest lists is ever removed. Two runs on one
tree wait for each other.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from bayplan.errors import OutputError, StaleError
from bayplan.interrupt import undisturbed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

MANIFEST = "manifest.json"
SCHEMA_VERSION = 1
_PART = ".bayplan-part"
_OLD = ".bayplan-old"


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
        version, files = int(data["schema_version"]), tuple(data["files"])
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
    return bool(pure.parts) and not pure.is_absolute() and ".." not in pure.parts


def difference(root: Path, files: Mapping[str, str]) -> Difference:
    """Return how the tree on disk differs from `files` (the manifest's volatile facts left aside)."""
    missing, changed = _compared(root, files)
    surplus = [path for path in listed(root) if path not in files and (root / path).exists()]
    return Difference(missing, changed, tuple(sorted(surplus)))


def _compared(root: Path, files: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the files that are not there, and those that are otherwise."""
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
    return tuple(missing), tuple(changed)


def write(root: Path, files: Mapping[str, str], facts: Mapping[str, Any]) -> Difference:
    """Write a tree, prune what the last manifest lists and this one does not, and say what changed.

    Raises:
        OutputError: if it cannot be written; what was there before is still there then.
        StaleError: if a newer version wrote the tree.
    """
    with _writing(root):
        changes = difference(root, files)
        whole = {**files, MANIFEST: manifest(files, facts)}
        stale = {*changes.missing, *changes.changed, *([MANIFEST] if _differs(root, whole[MANIFEST]) else [])}
        _Step(root, {path: whole[path] for path in whole if path in stale}, changes.surplus).take()
    return changes


def put(root: Path, files: Mapping[str, str], gone: Iterable[str] = ()) -> Difference:
    """Write some files of a folder that has others too, remove some, and say what changed; no manifest is kept.

    Raises:
        OutputError: if they cannot be written; what was there before is still there then.
    """
    with _writing(root):
        surplus = tuple(sorted(path for path in gone if path not in files and (root / path).exists()))
        changes = Difference(*_compared(root, files), surplus)
        stale = {*changes.missing, *changes.changed}
        _Step(root, {path: files[path] for path in files if path in stale}, surplus).take()
    return changes


@contextmanager
def _writing(root: Path) -> Iterator[None]:
    """Hold a folder, made if it is not there, while the block writes into it; say so if that fails.

    Raises:
        OutputError: if it cannot be written.
    """
    fresh = [one for one in (root, *root.parents) if not one.exists()]
    try:
        root.mkdir(parents=True, exist_ok=True)
        with _alone(root):
            _sweep(root)
            yield
    except OSError as fault:
        msg = f"cannot write {root}: {fault.strerror or fault}; nothing was changed there"
        raise OutputError(msg) from fault
    finally:
        for folder in fresh:
            _remove_if_empty(folder)


def _differs(root: Path, text: str) -> bool:
    path = root / MANIFEST
    return not path.exists() or path.read_text(encoding="utf-8") != text


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Hold the tree's lock: a second run waits, so that two never mix their files."""
    handle = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _sweep(root: Path) -> None:
    """Remove what a run that was killed left behind; whoever holds the lock knows that nobody needs it."""
    for suffix in (_PART, _OLD):
        for left in root.rglob(f".*{suffix}"):
            left.unlink(missing_ok=True)


class _Step:
    """The step from one tree to the next: prepared beside the targets, then taken as a whole or taken back."""

    def __init__(self, root: Path, files: Mapping[str, str], surplus: Sequence[str]) -> None:
        self.root = root
        self.files = {root / path: text for path, text in files.items()}
        self.surplus = [root / path for path in surplus]
        self.made: list[Path] = []
        self.touched: list[Path] = []

    def take(self) -> None:
        try:
            for target, text in self.files.items():
                self._prepare(target, text)
            for target in self.surplus:
                _keep(target)
            # Before the renames nothing is changed, after them everything is.
            with undisturbed():
                self._commit()
                self._clean()
                self._prune_folders()
        except BaseException:
            self._clean()
            for folder in reversed(self.made):
                _remove_if_empty(folder)
            raise

    def _prepare(self, target: Path, text: str) -> None:
        """Write a file beside its target, and keep what stands there: all that needs room is done before any change."""
        for folder in reversed([one for one in target.parents if not one.exists()]):
            folder.mkdir(exist_ok=True)
            self.made.append(folder)
        with _beside(target, _PART).open("w", encoding="utf-8", newline="\n") as handle:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
        _keep(target)

    def _commit(self) -> None:
        try:
            for target in self.files:
                self.touched.append(target)
                _beside(target, _PART).replace(target)
            for target in self.surplus:
                self.touched.append(target)
                target.unlink(missing_ok=True)
        except BaseException:
            for target in reversed(self.touched):
                self._take_back(target)
            raise

    def _take_back(self, target: Path) -> None:
        """Put back what stood there: the kept file if there is one, else nothing."""
        if os.path.lexists(_beside(target, _OLD)):
            _beside(target, _OLD).replace(target)
        elif not _beside(target, _PART).exists():
            target.unlink(missing_ok=True)

    def _prune_folders(self) -> None:
        for target in self.surplus:
            folder = target.parent
            while folder != self.root and _remove_if_empty(folder):
                folder = folder.parent

    def _clean(self) -> None:
        for target in (*self.files, *self.surplus):
            for suffix in (_PART, _OLD):
                with suppress(OSError):
                    _beside(target, suffix).unlink(missing_ok=True)


def _beside(target: Path, suffix: str) -> Path:
    return target.with_name(f".{target.name}{suffix}")


def _keep(target: Path) -> None:
    """Keep a file beside itself until the step is taken; as a second name for it, where the disk knows such."""
    if not os.path.lexists(target):
        return
    try:
        os.link(target, _beside(target, _OLD), follow_symlinks=False)
    except OSError:
        shutil.copy2(target, _beside(target, _OLD), follow_symlinks=False)


def _remove_if_empty(folder: Path) -> bool:
    try:
        folder.rmdir()
    except OSError:
        return False
    return True
