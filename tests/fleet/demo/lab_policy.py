"""A policy as the lab can follow it: the same decisions, at a sixteenth of the size, on nodes of the lab."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from bayplan.model import units
from bayplan.model.quantity import CPUS, DISK, GPU_MEMORY, MEMORY

from . import scaled
from .stand_ins import NOT_GRANTED, lab_service

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from fractions import Fraction

    from bayplan.model.fleet import Node as Machine
    from bayplan.model.quantity import Quantity
    from bayplan.source import Node

ENVIRONMENT = "lab"


@dataclass(frozen=True)
class Tagged:
    """A value under a tag such as `!override`, which decides how it is merged."""

    tag: str
    value: Any


class Dumper(yaml.SafeDumper):
    """Writes tags back, and no anchors."""

    def ignore_aliases(self, data: object) -> bool:
        """Say yes: what stands twice is written twice."""
        del data
        return True


def _tagged(dumper: yaml.SafeDumper, one: Tagged) -> yaml.Node:
    node = dumper.represent_data(one.value)
    node.tag = one.tag
    return node


Dumper.add_representer(Tagged, _tagged)


def written(tree: Mapping[str, Any], header: str) -> str:
    """Return a document as YAML under lines of comment."""
    head = "".join(f"# {line}\n" for line in header.splitlines())
    return head + yaml.dump(dict(tree), Dumper=Dumper, sort_keys=False, width=120, allow_unicode=True)


def data(node: Node) -> Any:
    """Return a tree as plain data, its tags kept."""
    value: Any = node.value
    if node.is_map:
        value = {key: data(child) for key, child in node.items()}
    elif node.is_list:
        value = [data(child) for child in node]
    return Tagged(node.tag, value) if node.tag else value


def _memory(amount: object) -> str:
    return units.policy_bytes(scaled.memory(units.policy_memory(amount)))


def _request(amount: object) -> str:
    return f"{scaled.cpu_request(units.cpus(amount))}m"


def _limit(amount: object) -> str:
    return f"{scaled.cpu_limit(units.cpus(amount))}m"


def _disk(amount: object) -> str:
    return units.policy_bytes(scaled.disk(units.policy_disk(amount)))


def _bound(claim: object) -> object:
    """Scale `<= 85GiB`; what is claimed to be exactly so is so of the original only."""
    amount = str(claim).removeprefix("<= ")
    return f"<= {_memory(amount)}" if amount != claim else None


QUANTITIES: Mapping[str, Callable[[object], object]] = {
    f"{where}{half}.{resource}": how
    for where in ("services.*.", "defaults.", "tiers.*.defaults.", "pools.*.defaults.", "environments.*.services.*.")
    for half, resource, how in (
        ("requests", "memory", _memory),
        ("requests", "swap", _memory),
        ("requests", "cpus", _request),
        ("limits", "memory", _memory),
        ("limits", "swap", _memory),
        ("limits", "cpus", _limit),
    )
} | {
    "pools.*.quota.requests.memory": _memory,
    "pools.*.quota.limits.memory": _memory,
    "estimates.*.memory": _memory,
    "estimates.*.cpus": _request,
    "volumes.*.size": _disk,
    "rollout.stages.*.expect.*.memory": _bound,
}
"""Where a policy says how much: path → how that is scaled.

VRAM stays: the lab's cards are as large as it says. CPU quotas stay: the sum of what is rounded up would not fit them.
"""

DROPPED = (
    "shapes",
    "expect",
    "services.*.cores",
    "tiers.*.cores",
    "pools.*.cores",
    "environments.*.services.*.cores",
    "rollout.window",
)
"""What only the original can have: claims about its figures, its cores, its hours."""
KEPT_OF_ENVIRONMENT = ("services", "multiply")
"""What an environment lays over services one by one; the rest is in the document already."""


def lab_document(
    document: Mapping[str, Any],
    environment: str,
    registry: str,
    arch: str,
    least: Callable[[str], int],
    *,
    claims: bool,
) -> dict[str, Any]:
    """Return the policy without `nodes` and `sources`, which are the lab's own.

    Args:
        document: the merged policy as plain data, its environment laid over it.
        environment: which of its environments the lab plays.
        registry, arch: the lab's.
        least: name or pattern of services → bytes below which not all of them start.
        claims: whether what a stage claims can hold for the lab too, divided by sixteen.
    """
    tree = {key: value for key, value in document.items() if key not in ("nodes", "sources")}
    for path, how in QUANTITIES.items():
        tree = _changed(tree, path.split("."), how)
    for path in DROPPED:
        tree = _changed(tree, path.split("."), lambda _: None)
    for key, service in (tree.get("services") or {}).items():
        limits = service.get("limits") if isinstance(service, dict) else None
        if limits and limits.get("memory"):
            limits["memory"] = units.policy_bytes(max(least(key), units.policy_memory(limits["memory"])))
        if isinstance(service, dict) and isinstance(service.get("compose"), dict):
            service["compose"] = _overlay(service["compose"], registry, arch)
    for stage in (tree.get("rollout") or {}).get("stages") or ():
        kept = [claim for claim in stage.pop("expect", None) or () if claims and "memory" in claim]
        stage.update({"expect": kept} if kept else {})
    _take_all(tree.get("rollout") or {})
    own = (tree.get("environments") or {}).get(environment) or {}
    return {**tree, "environments": {ENVIRONMENT: {key: own[key] for key in KEPT_OF_ENVIRONMENT if key in own}}}


KINDS = ("resize", "recreate", "move", "start", "stop", "schedule", "scale", "node")


def _take_all(rollout: dict[str, Any]) -> None:
    """Let the last stage take the kinds of change that none takes: what cannot run today, here, must be started."""
    stages = [stage for stage in rollout.get("stages") or () if stage.get("changes") is not None]
    taken = {kind for stage in stages for kind in stage["changes"]}
    if stages and len(stages) == len(rollout["stages"]):
        stages[-1]["changes"] = [*stages[-1]["changes"], *(kind for kind in KINDS if kind not in taken)]


def _overlay(compose: Mapping[str, Any], registry: str, arch: str) -> dict[str, Any]:
    """Return a piece of Compose as the lab takes it: a whole service, or what is laid over one."""
    if "image" in compose or "build" in compose:
        return lab_service(compose, registry, arch)
    return {key: value for key, value in compose.items() if key not in NOT_GRANTED}


def _changed(tree: Any, path: list[str], how: Callable[[object], object]) -> Any:
    """Return the tree with the values at a path changed; a value that becomes None is gone."""
    if isinstance(tree, Tagged):
        return Tagged(tree.tag, _changed(tree.value, path, how))
    if not path:
        return None if tree is None else how(tree)
    step, *rest = path
    if isinstance(tree, list) and step == "*":
        return [_changed(item, rest, how) for item in tree]
    if not isinstance(tree, dict):
        return tree
    made = {key: _changed(value, rest, how) if step in ("*", key) else value for key, value in tree.items()}
    return {key: value for key, value in made.items() if value is not None or tree[key] is None}


def lab_node(
    machine: Machine, address: str, arch: str, sizes: Mapping[str, int], parts: Mapping[str, Fraction]
) -> dict[str, Any]:
    """Return a node of the policy as a node of the lab.

    Args:
        machine: the original.
        address: where the lab has it.
        arch: what the lab is.
        sizes: resource → the lab size of its CPUs and memory.
        parts: resource → how much of the scaled reserve a smaller story has.
    """
    cpus, memory = (part(one, size(machine.reserve)[one], parts[one]) for one in (CPUS, MEMORY))
    reserve = {
        CPUS: f"{cpus}m" if cpus else "",
        MEMORY: units.policy_bytes(memory) if memory else "",
        GPU_MEMORY: units.policy_bytes(machine.reserved(GPU_MEMORY)) if machine.reserved(GPU_MEMORY) else "",
    }
    ceilings = {
        key: f"{float(share.value * 100):g}%" for key, share in machine.ceilings.items() if not key.startswith(DISK)
    }
    disks = {
        name: {"path": disk.path or "/", "size": units.policy_bytes(scaled.disk(disk.size))}
        for name, disk in machine.disks.items()
        if disk.size
    }
    made = {
        "address": address,
        "arch": arch,
        "cpus": units.compose_cpus(sizes[CPUS]),
        "memory": units.policy_bytes(sizes[MEMORY]),
        "gpus": [_card(card) for card in machine.gpus],
        "disks": disks,
        "resources": _countables(machine),
        "labels": dict(machine.labels),
        "taints": [f"{one.key}={one.value}:{one.effect}" for one in machine.taints],
        "reserve": {key: amount for key, amount in reserve.items() if amount},
        "ceilings": ceilings,
    }
    return {key: float(value) if key == "cpus" else value for key, value in made.items() if value}


def size(amounts: Mapping[str, Quantity]) -> dict[str, int]:
    """Return a sixteenth of a capacity or reserve: CPUs in thousandths, memory in bytes."""
    cpus, memory = amounts.get(CPUS), amounts.get(MEMORY)
    return {
        CPUS: round(cpus.amount * scaled.SCALE) if cpus else 0,
        MEMORY: scaled.memory(memory.amount) if memory else 0,
    }


def part(resource: str, amount: int, share: Fraction) -> int:
    """Return a part of a lab size, rounded up to what can be written."""
    step = scaled.PAGE if resource == MEMORY else 1
    exact = amount * share / step
    return -(-exact.numerator // exact.denominator) * step


def enlarged(needed: int, share: Fraction, resource: str) -> int:
    """Return the least size whose line, a share of it, holds what is needed."""
    return part(resource, needed, 1 / share)


def _card(card: Any) -> dict[str, Any]:
    made = {"model": card.model, "memory": units.policy_bytes(card.memory), "mig": list(card.mig), **card.labels}
    return {key: value for key, value in made.items() if value}


def _countables(machine: Machine) -> dict[str, int]:
    sized = {CPUS, MEMORY, GPU_MEMORY}
    return {
        key: amount.amount for key, amount in machine.capacity.items() if key not in sized and not key.startswith(DISK)
    }
