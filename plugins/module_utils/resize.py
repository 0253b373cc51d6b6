"""From limits as they are to limits as they should be: which commands, in which order, and what cannot be had live."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ansible_collections.bayplan.fleet.plugins.module_utils import cpuset, limits
from ansible_collections.bayplan.fleet.plugins.module_utils.show import show

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_QUICK = ("cpus", "cpuset", "pids", "shares")
_MEMORY = ("memory", "swap", "reservation")
_STEPS = 4


def changed(
    wanted: Mapping[str, Any], record: Mapping[str, Any], kernel: Mapping[str, Any] | None, cgroup: int
) -> set[str]:
    """Return the limits that Docker or the kernel has otherwise; what the kernel cannot say is not asked for."""
    found = set(limits.differences(wanted, record, cgroup))
    if kernel is None:
        return found
    if "swap" not in kernel:
        found.discard("swap")
    return found | set(limits.differences(wanted, kernel, cgroup, kernel=True))


def impossible(keys: Iterable[str], wanted: Mapping[str, Any], host: Mapping[str, Any], cgroup: int) -> list[str]:
    """Return, of limits to change, those that a running container cannot get.

    Docker takes the commands that would unset a limit, ends with 0, and does not do it, or does and records nothing.
    """
    stays = {
        "memory": not wanted.get("memory"),
        "swap": bool(wanted.get("memory")) and wanted.get("swap") == -1,
        "cpus": not wanted.get("cpus") and not host.get("CpuQuota"),
        "shares": not wanted.get("shares") and cgroup != 1,
        "reservation": not wanted.get("reservation"),
        "cgroup_parent": True,
    }
    return [key for key in limits.KEYS if key in set(keys) and stays.get(key, False)]


def commands(
    keys: Iterable[str], wanted: Mapping[str, Any], host: Mapping[str, Any], every: Iterable[int]
) -> list[list[str]]:
    """Return the words behind `docker update`, a list a command: memory last and by itself.

    A command that fails is half in effect, so what cannot fail comes first, and what may comes alone.
    """
    chosen = set(keys)
    quick = [word for key in _QUICK if key in chosen for word in _words(key, wanted, host, every)]
    memory = _memory_words(chosen, wanted) if chosen & set(_MEMORY) else []
    return [words for words in (quick, memory) if words]


def need(usage: Mapping[str, int], margin: int) -> int:
    """Return the smallest limit that what is in use fits under, with a margin in percent."""
    return math.ceil(int(usage["unreclaimable"]) * (100 + margin) / 100)


def too_small(name: str, wanted: int, usage: Mapping[str, int], margin: int) -> str:
    """Return why a container must not be cut to a limit; empty: it may."""
    least = need(usage, margin)
    if least <= wanted:
        return ""
    used = show(int(usage["unreclaimable"]))
    return f"{name} holds {used} that the kernel cannot take back; with {margin} % on top, {show(wanted)} is too small"


def descent(start: int, goal: int) -> Sequence[int]:
    """Return limits from `start` down to `goal`: on cgroup v2 a deep cut kills what a gentle one lets go of."""
    found = [goal + (start - goal) * left // _STEPS for left in range(_STEPS - 1, 0, -1)]
    return [*(one // limits.PAGE * limits.PAGE for one in found if one > goal), goal]


def _words(key: str, wanted: Mapping[str, Any], host: Mapping[str, Any], every: Iterable[int]) -> list[str]:
    value = wanted.get(key)
    if key == "cpus" and host.get("CpuQuota"):
        return ["--cpu-quota", str(int(value) * int(host.get("CpuPeriod") or 100_000) // 1000 if value else -1)]
    if key == "cpus":
        return ["--cpus", f"{int(value) / 1000:g}"] if value else []
    if key == "cpuset":
        return ["--cpuset-cpus", value or cpuset.text_of(every)]
    return ["--pids-limit", str(value or -1)] if key == "pids" else ["--cpu-shares", str(value or limits.SHARES)]


def _memory_words(keys: set[str], wanted: Mapping[str, Any]) -> list[str]:
    memory, total = wanted.get("memory"), limits.total(wanted)
    words = ["--memory", str(memory), "--memory-swap", str(total)] if memory and total else []
    if "reservation" in keys and wanted.get("reservation"):
        words += ["--memory-reservation", str(wanted["reservation"])]
    return words
