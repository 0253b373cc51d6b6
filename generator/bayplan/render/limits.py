"""The limits of a container as Docker is told them, in the one form in which they are compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayplan.model.quantity import CPUS
from bayplan.plan.state import WEIGHT
from bayplan.policy.today import cores_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.model.fleet import Node


def limits_of(sizes: Mapping[str, int], body: Mapping[str, Any], node: Node) -> dict[str, Any]:
    """Return limits; what is unbounded, or as Docker has it anyway, is null or empty.

    Args:
        sizes: `limits.memory`, `requests.memory`, `cpu_shares`, … → amount for one copy.
        body: the Compose mapping that containers are made from.
        node: where.
    """
    memory, swap = sizes.get("limits.memory"), sizes.get("limits.swap")
    cpuset = str(body.get("cpuset") or "")
    every = cores_of(cpuset) == frozenset(range(node.has(CPUS) // 1000))
    return {
        "memory": memory,
        # As much swap again as there is memory is what Docker gives whom nobody says otherwise.
        "swap": None if memory is None or swap == memory else swap,
        "cpus": sizes.get("limits.cpus"),
        "pids": sizes.get("limits.pids"),
        "cpuset": "" if every else cpuset,
        "shares": sizes.get(WEIGHT),
        "reservation": sizes.get("requests.memory"),
        "cgroup_parent": str(body.get("cgroup_parent") or ""),
    }
