"""What the policy says must be true in the end, read from the model, not from what the rollout was told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bayplan import pipeline
from bayplan.errors import PolicyError
from bayplan.model.quantity import CPUS, MEMORY
from bayplan.render.compose import bodies

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.policy.fleet import Policy
    from bayplan.workspace import Workspace

    from .looks import Look


@dataclass(frozen=True)
class Wanted:
    """The end, by the policy.

    Attributes:
        runs: `project/service/number` → its node, for all that run always.
        rests: `project/service/number` → its node, for the members of on-demand pools.
        limits: `project/service` → memory in bytes, CPUs in thousandths, shares, cores; None where nothing is said.
        later: `project/service` → its memory limit, where it gets one.
        lines, reserves: node → how far its memory may be filled, and what is kept of that.
    """

    runs: Mapping[str, str]
    rests: Mapping[str, str]
    limits: Mapping[str, Mapping[str, Any]]
    later: Mapping[str, int]
    lines: Mapping[str, int]
    reserves: Mapping[str, int]


def wanted(space: Workspace) -> Wanted:
    """Return what a policy wants, its decision being compiled.

    Raises:
        PolicyError: if nothing was compiled.
    """
    policy = pipeline.read(space)
    placement, found = pipeline.recorded(space, policy)
    if placement is None:
        raise PolicyError("nothing is compiled", found)
    resting = {name for name, service in policy.to_be.services.items() if _on_demand(policy, service.pool)}
    seats = {str(copy.service) + f"/{copy.number}": (copy.service, seat.node) for copy, seat in placement.seats.items()}
    files = bodies(policy.to_be, placement)
    limits = {str(name): _limits(one, files.get(name, {})) for name, one in policy.to_be.services.items()}
    return Wanted(
        runs={key: node for key, (name, node) in seats.items() if name not in resting},
        rests={key: node for key, (name, node) in seats.items() if name in resting},
        limits=limits,
        later={name: amount for name, said in limits.items() if (amount := said["memory"])},
        lines={name: node.line(MEMORY) for name, node in policy.to_be.nodes.items()},
        reserves={name: node.reserved(MEMORY) for name, node in policy.to_be.nodes.items()},
    )


def _on_demand(policy: Policy, pool: str) -> bool:
    return pool in policy.to_be.pools and policy.to_be.pools[pool].scaling == "on-demand"


def _limits(service: Any, body: Mapping[str, Any]) -> dict[str, Any]:
    memory, cpus, share = service.limits.get(MEMORY), service.limits.get(CPUS), service.requests.get(CPUS)
    return {
        "memory": memory.amount if memory else None,
        "cpus": cpus.amount if cpus else None,
        "shares": max(2, round(share.amount * 1024 / 1000)) if share and "cpu_shares" not in service.body else None,
        "cpuset": str(body.get("cpuset") or ""),
    }


def missing(end: Wanted, before: Mapping[str, str], looks: Mapping[str, Look]) -> list[str]:
    """Return what does not run, or not where it should, and what ran before and is nowhere.

    Args:
        end: what the policy wants.
        before: copy → node, of all that ran before.
        looks: the nodes now.
    """
    now = {key: name for name, one in looks.items() for key in one.running}
    found = [
        f"{key} should run on {node}, and runs {_at(now.get(key))}"
        for key, node in end.runs.items()
        if now.get(key) != node
    ]
    for key, node in end.rests.items():
        if key in now:
            found.append(f"{key} should rest, and runs {_at(now[key])}")
        elif key in before and key not in looks[node].containers:
            found.append(f"{key} should rest on {node}, and is not there")
    lost = sorted(before.keys() - now.keys() - end.rests.keys())
    # A copy that the policy takes away is not lost; its service is, if no copy of it runs.
    names = {key.rpartition("/")[0] for key in now}
    found += [
        f"{key} ran before, and nothing of it runs or rests" for key in lost if key.rpartition("/")[0] not in names
    ]
    twice = [key for key in now if sum(key in one.running for one in looks.values()) > 1]
    return sorted([*found, *(f"{key} runs on two nodes" for key in set(twice))])


def _at(node: str | None) -> str:
    return f"on {node}" if node else "nowhere"


def unlike(end: Wanted, looks: Mapping[str, Look]) -> list[str]:
    """Return where the kernel's limits are not the policy's."""
    found = []
    for name, one in looks.items():
        for key, container in one.running.items():
            said = end.limits.get(key.rpartition("/")[0])
            if said is None:
                found.append(f"{name}: {key} runs, and the policy does not know it")
                continue
            kernel = container["kernel"] or {}
            found += [
                f"{name}: {key} has {resource} {kernel.get(resource)} in the kernel, {amount} in the policy"
                for resource, amount in said.items()
                if kernel.get(resource) != amount and not (amount is None and resource == "shares")
            ]
    return sorted(found)


def healthy(looks: Mapping[str, Look]) -> list[str]:
    """Return who runs and is not well."""
    return [
        f"{name}: {key} is {container['health']}"
        for name, one in looks.items()
        for key, container in one.running.items()
        if container["health"] not in ("", "healthy")
    ]
