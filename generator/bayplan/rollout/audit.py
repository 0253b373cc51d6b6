"""Limits truth: what the policy says, what Docker was told, and what the kernel enforces, service by service."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bayplan.model import units

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

LIMITS = ("memory", "swap", "cpus", "pids", "cpuset", "shares", "reservation", "cgroup_parent")
"""The limits that are compared, in the order in which they are told."""
_OF_THE_KERNEL = frozenset({"memory", "cpus", "pids", "cpuset"})
_NOTHING: tuple[Any, ...] = (None, "", 0)


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference between what should be and what is, named where it first differs.

    Attributes:
        node, service: where.
        key: the limit, or `copies`, `run`, `health`.
        wanted: what the policy says.
        found: what is there instead.
        where: `docker` or `kernel`: who says so; `node` for what is missing.
    """

    node: str
    service: str
    key: str
    wanted: str
    found: str
    where: str

    def words(self) -> str:
        """Return the difference as a line."""
        return f"{self.node}  {self.service}  {self.key}: policy {self.wanted}, {self.where} {self.found}"


def audit(expected: Mapping[str, Any], facts: Mapping[str, Any], node: str) -> tuple[Drift, ...]:
    """Return every difference of a node from what is expected of it, by service.

    Args:
        expected: service → EXPECT, as in rollout.json.
        facts: what node_facts says of the node.
        node: its name.
    """
    there: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for container in facts.get("containers") or ():
        there[f"{container['project']}/{container['service']}"].append(container)
    return tuple(
        drift for name, wanted in sorted(expected.items()) for drift in _service(node, name, wanted, there[name])
    )


def _service(node: str, name: str, wanted: Mapping[str, Any], found: Sequence[Mapping[str, Any]]) -> Iterator[Drift]:
    copies, rests = int(wanted["copies"]), wanted["run"] == "on-demand"
    running = [one for one in found if one["state"] == "running"]
    if len(found) != copies:
        yield Drift(node, name, "copies", str(copies), str(len(found)), "node")
    if not rests and len(running) < min(copies, len(found)) and not all(_finished(one) for one in found):
        yield Drift(node, name, "run", "always", f"{len(running)} of {copies} running", "node")
    for one in running:
        if one.get("health") == "unhealthy":
            yield Drift(node, name, "health", "healthy", "unhealthy", "docker")
    for one in sorted(found, key=lambda container: int(container["number"])):
        yield from _limits(node, name, wanted["limits"], one)


def _finished(container: Mapping[str, Any]) -> bool:
    """Whether a container has done what it was for: one that runs once and is not restarted."""
    return container["state"] == "exited" and container.get("restart_policy") in ("no", "", "on-failure")


def _limits(node: str, name: str, wanted: Mapping[str, Any], container: Mapping[str, Any]) -> Iterator[Drift]:
    for key in LIMITS:
        want = wanted.get(key)
        if key == "swap" and want is None:  # Docker then gives as much swap as memory
            continue
        for where, limits in (("docker", container.get("configured")), ("kernel", container.get("kernel"))):
            if limits is None or (where == "kernel" and key not in _OF_THE_KERNEL) or key not in limits:
                continue
            if not _same(key, want, limits[key], where):
                yield Drift(node, name, key, shown(key, want), shown(key, limits[key]), where)
                break


def _same(key: str, want: Any, found: Any, where: str) -> bool:
    if want in _NOTHING:
        # A slice above the container may bound it, and every container has some cores.
        return found in _NOTHING or key == "cpuset" or where == "kernel"
    if key == "memory" and where == "kernel":
        # The kernel rounds down to whole pages, and a slice above may be tighter.
        return found is not None and 0 <= int(want) - int(found) < _PAGE
    if key == "cpuset":
        return cores(str(want)) == cores(str(found))
    return bool(want == found)


_PAGE = 65536


def cores(text: str) -> frozenset[int]:
    """Return the cores that `0-2,5` names."""
    found: set[int] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return frozenset(found)


def shown(key: str, value: Any) -> str:
    """Return a limit in its unit; `none` for nothing."""
    if value in _NOTHING:
        return "none"
    if key in ("memory", "swap", "reservation"):
        return units.show_bytes(int(value))
    return f"{units.show_cpus(int(value))} CPU" if key == "cpus" else str(value)
