"""How far a copy came on this node, in small files: it is incomplete, it arrived, it is what a move left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.bayplan.fleet.plugins.module_utils import files
from ansible_collections.bayplan.fleet.plugins.module_utils.stage import mark_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

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


def _content(place: Place) -> str:
    """Return the digest of a file; empty for folders: a file may belong to those that stayed, and may change."""
    return files.file_digest(place.folder) if place.is_file and place.folder.is_file() else ""


def _mark(home: Home, kind: str, name: str) -> Path:
    return mark_of(home.root / kind, name)
