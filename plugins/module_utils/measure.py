"""How full a node is: what was promised to the containers that run, and what they use, read from the kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible_collections.bayplan.fleet.plugins.module_utils import show

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

RESOURCES = ("memory", "cpus")


def measured(
    facts: Iterable[Mapping[str, Any]], charges: Mapping[str, Mapping[str, Any]], reserve: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what is promised and used on a node at this moment.

    Args:
        facts: its running containers.
        charges: project/service → what the plan counts one copy with: its request where that is less than its limit,
            and what it will get where it has no limit yet.
        reserve: what is kept for all that is not ours.
    """
    running = list(facts)
    return {
        "committed": {
            key: int(reserve.get(key) or 0) + sum(_promised(one, charges, key) for one in running) for key in RESOURCES
        },
        "usage": {"memory": sum(int((one["usage"] or {}).get("memory") or 0) for one in running)},
        "oom_kills": {
            f"{one['project']}/{one['service']}/{one['number']}": int((one["usage"] or {}).get("oom_kills") or 0)
            for one in running
        },
    }


def _promised(container: Mapping[str, Any], charges: Mapping[str, Mapping[str, Any]], key: str) -> int:
    """Return what one container may take: of memory what the kernel allows, of CPU what the plan counts."""
    limit = (container["kernel"] or container["configured"]).get(key)
    charge = (charges.get(f"{container['project']}/{container['service']}") or {}).get(key)
    if key == "memory":
        return int(limit or charge or 0)
    return int(charge if charge is not None else limit or 0)


HELD = ("memory",)
"""What is refused when it goes over its line. CPU is a weight: what was promised of it is shown, and the plan's own
proof covers it; there is nothing to measure that the kernel would hold."""


def over(now: Mapping[str, Any], lines: Mapping[str, Any], before: Mapping[str, Any] | None) -> list[str]:
    """Return the resources that go over their line, or become fuller though they are over it already."""
    found = []
    for key in HELD:
        line = lines.get(key)
        if not line:
            continue
        amount = int(now["committed"][key])
        last = int(((before or {}).get("committed") or {}).get(key) or 0)
        if amount > max(int(line), last):
            was = f", from {show.limit(key, last)}" if last else ""
            found.append(f"{key} goes to {show.limit(key, amount)}{was}, over its line of {show.limit(key, int(line))}")
    return found


def killed(now: Mapping[str, Any], before: Mapping[str, Any] | None) -> list[str]:
    """Return the containers in which the kernel had to kill since the last measurement."""
    last = (before or {}).get("oom_kills") or {}
    return [
        f"{name}: the kernel killed in it for lack of memory"
        for name, times in sorted(now["oom_kills"].items())
        if name in last and times > last[name]
    ]
