"""Limits of one container: as Docker recorded them, as they are wanted, and whether the two are the same.

Memory in bytes, CPU in thousandths, None for no limit. `swap` is what may go to swap beside the memory: None is what
Docker makes of a memory limit alone (as much again), -1 is no limit.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ansible_collections.bayplan.fleet.plugins.module_utils import cpuset

if TYPE_CHECKING:
    from collections.abc import Mapping

KEYS = ("memory", "swap", "cpus", "pids", "cpuset", "shares", "reservation", "cgroup_parent")
PAGE = 4096
SHARES = 1024
"""What Docker gives whom nobody gave shares."""
_WEIGHT = 100
"""Likewise, on cgroup v2."""
_OFTEN_ANOTHERS = ("pids", "shares")
"""Without a wish of ours, systemd's defaults stand in the kernel: TasksMax, CPUWeight."""


def normal(limits: Mapping[str, Any], every: frozenset[int] = frozenset()) -> dict[str, Any]:
    """Return limits in their one form, so that equal limits are equal values."""
    memory = limits.get("memory") or None
    swap = limits.get("swap")
    shares = limits.get("shares") or None
    return {
        "memory": memory,
        "swap": None if memory is None or swap == memory else swap,
        "cpus": limits.get("cpus") or None,
        "pids": _positive(limits.get("pids")),
        "cpuset": cpuset.normal(limits.get("cpuset"), every),
        "shares": None if shares == SHARES else shares,
        "reservation": limits.get("reservation") or None,
        "cgroup_parent": limits.get("cgroup_parent") or "",
    }


def of_record(host: Mapping[str, Any], every: frozenset[int] = frozenset()) -> dict[str, Any]:
    """Return the limits in Docker's own record of a container: `HostConfig`."""
    memory, total = host.get("Memory") or None, host.get("MemorySwap") or 0
    swap = None if memory is None or not total else total if total < 0 else total - memory
    return normal(
        {
            "memory": memory,
            "swap": swap,
            "cpus": _cpus(host),
            "pids": host.get("PidsLimit"),
            "cpuset": host.get("CpusetCpus"),
            "shares": host.get("CpuShares"),
            "reservation": host.get("MemoryReservation"),
            "cgroup_parent": host.get("CgroupParent"),
        },
        every,
    )


def total(limits: Mapping[str, Any]) -> int | None:
    """Return memory and swap together; None: unlimited."""
    memory, swap = limits.get("memory"), limits.get("swap")
    if not memory or swap == -1:
        return None
    return int(memory) * 2 if swap is None else int(memory) + int(swap)


def differences(
    wanted: Mapping[str, Any], found: Mapping[str, Any], cgroup: int = 1, *, kernel: bool = False
) -> dict[str, tuple[Any, Any]]:
    """Return key → (wanted, found) of every limit that is another.

    Args:
        wanted: limits in their normal form.
        found: likewise.
        cgroup: its version; on 2, shares become weights and lose precision.
        kernel: whether `found` was read from the kernel, where a key that is not there cannot be told.
    """
    return {
        key: (wanted.get(key), found.get(key))
        for key in KEYS
        if not (kernel and (key not in found or (key in _OFTEN_ANOTHERS and not wanted.get(key))))
        and not same(key, wanted, found, cgroup)
    }


def same(key: str, wanted: Mapping[str, Any], found: Mapping[str, Any], cgroup: int = 1) -> bool:
    """Whether one limit is as wanted, as exactly as the kernel can say."""
    if key == "swap":
        return _pages(total(wanted)) == _pages(total(found)) or not wanted.get("memory")
    mine, theirs = wanted.get(key), found.get(key)
    if key in ("memory", "reservation"):
        return _pages(mine) == _pages(theirs)
    if key == "shares" and cgroup != 1 and mine and mine != theirs:
        return (weight(theirs) if theirs else _WEIGHT) in (weight(mine), late_weight(mine))
    if key == "shares":
        return (mine or SHARES) == (theirs or SHARES)
    return (mine or None) == (theirs or None)


def weight(shares: int) -> int:
    """Return the weight that runc makes of shares on cgroup v2."""
    return 1 + ((max(shares, 2) - 2) * 9999) // 262142


def late_weight(shares: int) -> int:
    """Return the weight that later versions of runc and crun make of shares: 1024 becomes 100 there."""
    power = math.log2(max(shares, 2))
    return math.ceil(10 ** ((power * power + 125 * power) / 612 - 7 / 34))


def shares_of(found: int) -> int:
    """Return the shares that a weight was most likely made of."""
    return 2 + -(-((found - 1) * 262142) // 9999)


def _cpus(host: Mapping[str, Any]) -> int | None:
    nano, quota = host.get("NanoCpus") or 0, host.get("CpuQuota") or 0
    if nano > 0:
        return round(nano / 1_000_000)
    return round(quota * 1000 / (host.get("CpuPeriod") or 100_000)) if quota > 0 else None


def _positive(number: Any) -> int | None:
    return int(number) if number and int(number) > 0 else None


def _pages(amount: Any) -> int | None:
    return None if amount is None else int(amount) // PAGE
