"""Files that are whole or not there, also after a power cut."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a text file at once: beside its place, to the disk, and then into its place."""
    write_bytes(path, text.encode(), mode)


def write_bytes(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file at once, as `write` does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    fresh = Path(name)
    try:
        with os.fdopen(number, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink()
        raise
    sync_folder(path.parent)


def link(path: Path, target: str) -> None:
    """Point a symbolic link somewhere: it points to the old or to the new place, never nowhere."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    if fresh.is_symlink():
        fresh.unlink()
    fresh.symlink_to(target)
    fresh.replace(path)
    sync_folder(path.parent)


def remove(path: Path) -> bool:
    """Remove a file for good; whether it was there."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    sync_folder(path.parent)
    return True


def sync_folder(path: Path) -> None:
    """Put a folder's entries on the disk: a rename survives a power cut only then."""
    number = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def text_of(path: Path) -> str | None:
    """Return what a file says; None: it is not there, or no text."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def json_of(path: Path) -> Any:
    """Return the data in a file; None: it is not there, or torn."""
    text = text_of(path)
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        return None


def write_json(path: Path, data: Any, mode: int = 0o600) -> None:
    """Write data as JSON, keys sorted, so that the same data is the same file."""
    write(path, json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False) + "\n", mode)


def digest(text: str) -> str:
    """Return the sha256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def file_digest(path: Path) -> str:
    """Return the sha256 of a file, however large."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            found.update(block)
    return found.hexdigest()


def allocated(path: Path) -> int:
    """Return how many bytes a file or a folder takes on its disk; other disks mounted below it do not count."""
    try:
        top = path.lstat()
    except OSError:
        return 0
    total, seen, folders = top.st_blocks * 512, {(top.st_dev, top.st_ino)}, [path]
    while folders:
        try:
            entries = list(os.scandir(folders.pop()))
        except OSError:  # gone meanwhile, or a file
            continue
        for entry in entries:
            try:
                found = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            if found.st_dev != top.st_dev or (found.st_dev, found.st_ino) in seen:
                continue
            if found.st_nlink > 1:
                seen.add((found.st_dev, found.st_ino))  # a hard link takes its room once
            total += found.st_blocks * 512
            if entry.is_dir(follow_symlinks=False):
                folders.append(Path(entry.path))
    return total
