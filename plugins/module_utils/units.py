"""Slices of systemd: which unit files may be written when, and whether the kernel did what they say."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ansible_collections.bayplan.fleet.plugins.module_utils import cgroups, engine, files, limits, machine, resize, show
from ansible_collections.bayplan.fleet.plugins.module_utils.command import run
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import NodeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FOLDER = Path("/etc/systemd/system")
_NAME = re.compile(r"bayplan(-[A-Za-z0-9_]+)*\.slice")
_SIZES = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_MARGIN = 5


@dataclass(frozen=True)
class Plan:
    """What becomes of the unit files: those to write now (name → text) or later, to remove, to keep."""

    write: Mapping[str, str] = field(default_factory=dict)
    later: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()


def names_of(texts: Mapping[str, str]) -> dict[str, str]:
    """Return unit name → text of the files of a release.

    Raises:
        NodeError: for a unit that is not ours: whoever writes those owns the node.
    """
    units = {path.partition("/")[2]: text for path, text in texts.items() if path.startswith("units/")}
    for name in units:
        if not _NAME.fullmatch(name):
            raise NodeError(f"the unit {name} is not written: only bayplan*.slice are")
    return units


def memory_max(text: str) -> int | None:
    """Return the memory limit that a unit file sets, the last one; None: none."""
    found = re.findall(r"^MemoryMax=\s*(\S*)", text, flags=re.MULTILINE)
    number = re.fullmatch(r"(\d+)([KMGT]?)", found[-1]) if found else None
    return int(number[1]) * _SIZES[number[2]] if number else None


def plan(
    wanted: Mapping[str, str], there: Mapping[str, str], old: Iterable[str], used: set[str], *, last: bool
) -> Plan:
    """Return what to do about the unit files.

    A slice that shrinks waits until the services in it have shrunk: on v1 the kernel refuses it and systemd says
    nothing, on v2 it kills.

    Args:
        wanted: name → text.
        there: name → text on the node.
        old: names that an earlier release of this fleet brought.
        used: the slices that containers are in.
        last: whether everything else is done.
    """
    other = {name: text for name, text in wanted.items() if there.get(name) != text}
    later = () if last else tuple(sorted(name for name, text in other.items() if _shrinks(there.get(name), text)))
    gone = sorted(set(old) & set(there) - set(wanted)) if last else []
    remove = tuple(name for name in gone if name not in used)
    keep = tuple(name for name in gone if name in used)
    return Plan({name: text for name, text in other.items() if name not in later}, later, remove, keep)


def carry_out(todo: Plan, where: Mapping[str, Path], folder: Path = FOLDER) -> None:
    """Write and remove unit files, let systemd read them, and believe the kernel alone."""
    if not todo.write and not todo.remove:
        return
    before = {name: files.text_of(folder / name) for name in todo.write}
    for name, text in todo.write.items():
        _fits(name, memory_max(text), where)
    for name, text in todo.write.items():
        files.write(folder / name, text)
    for name in todo.remove:
        files.remove(folder / name)
    run(["systemctl", "daemon-reload"])
    wrong = [why for name, text in todo.write.items() if (why := _refused(name, memory_max(text), where))]
    if wrong:
        for name, was in before.items():
            if was is None:
                files.remove(folder / name)
            else:
                files.write(folder / name, was)
        run(["systemctl", "daemon-reload"])
        raise NodeError("; ".join(wrong), "systemctl revert removes drop-ins; the old unit files are back")


def used() -> set[str]:
    """Return the slices that containers were made for, running or not, with those that they lie in."""
    parents = {str(one["HostConfig"].get("CgroupParent") or "") for one in engine.every("container")}
    return {part for name in parents if name.endswith(".slice") for part in machine.slice_path(name).split("/")}


def _shrinks(old: str | None, new: str) -> bool:
    if old is None:
        return False
    before, after = memory_max(old), memory_max(new)
    return after is not None and (before is None or after < before)


def _fits(name: str, limit: int | None, where: Mapping[str, Path]) -> None:
    group = machine.slice_group(name, where)
    if group and limit is not None and (why := resize.too_small(name, limit, cgroups.usage_of(group), _MARGIN)):
        raise NodeError(why, "let what runs in it use less first")


def _refused(name: str, limit: int | None, where: Mapping[str, Path]) -> str:
    """Return what the kernel made of a slice's limit, if that is something else; a slice that is empty has none yet."""
    group = machine.slice_group(name, where)
    now = cgroups.limits_of(group)["memory"] if group else limit
    if limits.same("memory", {"memory": limit}, {"memory": now}):
        return ""
    drop_ins = [path for one in machine.slices([name], where) for path in one["drop_ins"]]
    because = f", by {', '.join(drop_ins)}" if drop_ins else ""
    return f"the kernel holds {name} to {show.limit('memory', now)}, not {show.limit('memory', limit)}{because}"
