"""How far a copy came on this node, in small files: it is incomplete, it arrived, it is what a move left behind."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from ansible_collections.bayplan.fleet.plugins.module_utils import files
from ansible_collections.bayplan.fleet.plugins.module_utils.stage import mark_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ansible_collections.bayplan.fleet.plugins.module_utils.home import Home
    from ansible_collections.bayplan.fleet.plugins.module_utils.places import Place


def is_ours(home: Home, plan: str, place: Place) -> bool:
    """Whether what is in a place may be replaced: a copy of ours that nothing has used, or what a move left behind."""
    if mark_of(home.incomplete, place.name).exists():
        return True
    if files.text_of(_mark(home, "arrived", place.name)) in ("", plan):
        return True
    left = files.text_of(_mark(home, "left", place.name))
    return left is not None and left.partition(" ")[2] == _content(place)


def begun(home: Home, place: Place) -> None:
    """Mark a copy as not proven: nothing may start on it."""
    files.write(mark_of(home.incomplete, place.name), place.name)


def proven(home: Home, place: Place) -> None:
    """Mark a copy as equal to its source, and not used yet."""
    files.write(_mark(home, "arrived", place.name), "")
    files.remove(_mark(home, "left", place.name))
    files.remove(mark_of(home.incomplete, place.name))


def used(home: Home, plan: str, names: Iterable[str]) -> None:
    """Mark copies as in use from now on: only the plan that brought them may bring them again, no later one."""
    for name in names:
        mark = _mark(home, "arrived", name)
        if files.text_of(mark) == "":
            files.write(mark, plan)


def left(home: Home, plan: str, place: Place) -> None:
    """Mark what stays behind when its services have left: old data, kept until `keep_source` is over."""
    files.write(_mark(home, "left", place.name), f"{plan} {_content(place)}")


def brought(home: Home, plan: str) -> dict[str, Path]:
    """Return the files and folders that a plan brought and that have left again, unless somebody changed them since."""
    found = {}
    for mark in sorted((home.root / "left").glob("path:*")):
        name = unquote(mark.name)
        path = Path(name.partition(":")[2])
        by, _, content = (files.text_of(mark) or "").partition(" ")
        ours = by == plan and files.text_of(_mark(home, "arrived", name)) == plan
        if ours and path.exists() and not path.is_symlink() and _untouched(path, content, mark):
            found[name] = path
    return found


def discard(home: Home, name: str, path: Path) -> None:
    """Remove a file or folder that a plan brought, and what is known of it."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    for kind in ("arrived", "left"):
        files.remove(_mark(home, kind, name))


def _untouched(path: Path, content: str, mark: Path) -> bool:
    """Whether nobody has changed a place since it was marked: a file by its content, a folder by its times."""
    if path.is_file():
        return files.file_digest(path) == content
    since = mark.stat().st_mtime_ns
    return all(one.lstat().st_ctime_ns <= since for one in (path, *path.rglob("*")))


def _content(place: Place) -> str:
    """Return the digest of a file; empty for folders: a file may belong to those that stayed, and may change."""
    return files.file_digest(place.folder) if place.is_file and place.folder.is_file() else ""


def _mark(home: Home, kind: str, name: str) -> Path:
    return mark_of(home.root / kind, name)
