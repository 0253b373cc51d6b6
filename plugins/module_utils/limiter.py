"""Changing the limits of one container while it runs, and putting them back if the kernel refuses."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any, NoReturn

from ansible_collections.bayplan.fleet.plugins.module_utils import cgroups, engine, limits, resize, show
from ansible_collections.bayplan.fleet.plugins.module_utils.containers import fact
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import HELD, NodeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.bayplan.fleet.plugins.module_utils.containers import Kernel

_OF_KERNEL = {"memory", "swap", "cpus", "cpuset", "reservation"}
"""Where the kernel and Docker's record differ, the kernel's limit was in effect."""


def due(inspected: Mapping[str, Any], wanted: Mapping[str, Any], kernel: Kernel) -> set[str]:
    """Return the limits of a container that are not as wanted."""
    found = fact(inspected, kernel)
    return resize.changed(wanted, found["configured"], found["kernel"], _version(kernel))


def refusals(inspected: Mapping[str, Any], wanted: Mapping[str, Any], kernel: Kernel, margin: int) -> list[str]:
    """Return why a container cannot get its limits while it runs; nothing: it can."""
    found, version = fact(inspected, kernel), _version(kernel)
    keys = resize.changed(wanted, found["configured"], found["kernel"], version)
    stuck = resize.impossible(keys, wanted, inspected["HostConfig"], version)
    why = []
    if stuck:
        why.append(f"{found['name']} must be recreated: Docker cannot change {', '.join(stuck)} of a running container")
    now = (found["kernel"] or {}).get("memory")
    if "memory" in keys and wanted["memory"] and found["usage"] and (now is None or wanted["memory"] < now):
        why.append(resize.too_small(found["name"], wanted["memory"], found["usage"], margin))
    return [one for one in why if one]


def apply(inspected: Mapping[str, Any], wanted: Mapping[str, Any], kernel: Kernel) -> None:
    """Give a container its limits, each command proven by the kernel before the next.

    Raises:
        NodeError: if the kernel does not hold them afterwards; the old ones are back then, or the outcome is `held`.
    """
    before = fact(inspected, kernel)
    keys = resize.changed(wanted, before["configured"], before["kernel"], _version(kernel))
    try:
        for words in resize.commands(keys, wanted, inspected["HostConfig"], kernel.every):
            _update(inspected, words, wanted, kernel)
        prove(inspected, wanted, kernel)
    except NodeError as fault:
        _put_back(inspected, before, keys, kernel, str(fault))


def prove(inspected: Mapping[str, Any], wanted: Mapping[str, Any], kernel: Kernel) -> None:
    """Read back what Docker recorded and what the kernel holds; both must be as wanted."""
    now = engine.inspect("container", [inspected["Id"]])
    if not now:
        raise NodeError(f"container {inspected['Name'].lstrip('/')} is gone")
    found = fact(now[0], kernel)
    keys = resize.changed(wanted, found["configured"], found["kernel"], _version(kernel))
    if keys:
        sides = (found["kernel"] or found["configured"], found["configured"])
        said = next((one for side in sides if (one := limits.differences(wanted, side, _version(kernel)))), {})
        raise NodeError(f"{found['name']}: {show.differences(said) or ', '.join(sorted(keys))} after docker update")


def _update(inspected: Mapping[str, Any], words: list[str], wanted: Mapping[str, Any], kernel: Kernel) -> None:
    group = kernel.group(inspected)
    if "--memory" not in words or group is None or group.version == 1:
        engine.docker("update", *words, inspected["Id"])
        return
    for amount in _gently(group, int(wanted["memory"])):
        swap = "-1" if limits.total(wanted) is None else str(limits.total({**wanted, "memory": amount}))
        engine.docker("update", "--memory", str(amount), "--memory-swap", swap, *words[4:], inspected["Id"])


def _gently(group: cgroups.Group, goal: int) -> list[int]:
    """Return the limits to go through on cgroup v2, after the kernel was asked to give back what it can."""
    folder, usage = group.folder("memory"), cgroups.usage_of(group)
    surplus = usage["memory"] - goal
    if folder is None or surplus <= 0:
        return [goal]
    with contextlib.suppress(OSError):  # no such file before Linux 5.19; EAGAIN: it gave less than was asked for
        number = os.open(folder / "memory.reclaim", os.O_WRONLY)
        try:
            os.write(number, str(surplus).encode())
        finally:
            os.close(number)
    return list(resize.descent(max(cgroups.usage_of(group)["memory"], goal), goal))


def _put_back(
    inspected: Mapping[str, Any], before: Mapping[str, Any], keys: set[str], kernel: Kernel, why: str
) -> NoReturn:
    """Repeat the old limits: a failed update is in effect by half, and Docker's record does not say so."""
    told = before["kernel"] or {}
    old = {**before["configured"], **{key: told[key] for key in keys & _OF_KERNEL if key in told}}
    for words in resize.commands(keys, old, inspected["HostConfig"], kernel.every):
        engine.docker("update", *words, inspected["Id"], check=False)
    now = engine.inspect("container", [inspected["Id"]])
    if now and not due(now[0], old, kernel):
        raise NodeError(f"{why}; the old limits are back")
    raise NodeError(f"{why}; the old limits could not all be put back: see docker inspect {before['name']}", "", HELD)


def _version(kernel: Kernel) -> int:
    return 1 if "memory" in kernel.where else 2
