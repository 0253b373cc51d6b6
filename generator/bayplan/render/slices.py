"""Systemd slices: what the kernel holds of a pool, where the limits of its members do not hold it already.

A slice a-b.slice lies in a.slice, so every pool's lies in bayplan.slice, beside the system.slice in which Docker puts
all other containers. A pool that has nothing for the kernel to hold gets no slice: joining one recreates a container.

Only properties that have their effect on cgroup v1 as well as on v2 are written. MemoryHigh, MemoryLow, IOWeight and
AllowedCPUs have none on v1, though systemctl shows them: cores are given by the cpuset of each service.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayplan.analyse.charge import charge_on
from bayplan.analyse.pools import pool_charge
from bayplan.finding import Finding, error, warning
from bayplan.model import units
from bayplan.model.quantity import CPUS, MEMORY, PIDS
from bayplan.render.texts import text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bayplan.model.fleet import Fleet, Node, Pool
    from bayplan.model.names import Instance
    from bayplan.model.placement import Placement
    from bayplan.model.quantity import Quantity
    from bayplan.model.service import Service

PARENT = "bayplan.slice"
_WEIGHT = 100
"""What systemd gives a slice that says nothing, such as system.slice; ours have as much for one CPU."""
_HEAVIEST = 10_000


@dataclass(frozen=True, slots=True)
class Line:
    """A property of a unit with its reason."""

    key: str
    value: str
    why: str


def slice_of(fleet: Fleet, service: Service) -> str:
    """Return the slice that a service joins, empty if it joins none; a slice of its own in its Compose file stays."""
    pool = fleet.pools.get(service.pool)
    if pool is None or not held(pool) or "cgroup_parent" in service.body:
        return ""
    return unit_name(pool.name)


def unit_name(pool: str) -> str:
    """Return the unit of a pool. A dash would nest it deeper."""
    return f"bayplan-{pool.replace('-', '_')}.slice"


def held(pool: Pool) -> dict[tuple[str, str], Quantity]:
    """Return (`limits` or `requests`, resource) → what of a pool's quota the kernel holds.

    A quota of limits is held. A quota of requests is, too, where the pool runs on demand: together its members are
    charged no more than that, though each may take its own limit. The members of other pools are charged one by one,
    and their requests are a promise to them, no bound.
    """
    found = {("limits", key): amount for key, amount in pool.quota.get("limits", {}).items()}
    if pool.scaling == "on-demand":
        asked = pool.quota.get("requests", {})
        found |= {("requests", key): amount for key, amount in asked.items() if ("limits", key) not in found}
    return {key: amount for key, amount in sorted(found.items()) if key[1] in (CPUS, MEMORY, PIDS)}


def slices(fleet: Fleet, placement: Placement, policy: str) -> dict[str, dict[str, str]]:
    """Return node → unit → text, for the nodes that have a member of such a pool.

    Args:
        fleet: TO-BE.
        placement: where its copies stand.
        policy: the policy folder as it is written in the header.
    """
    found: dict[str, dict[str, str]] = {}
    for node, pools in sorted(_standing(fleet, placement).items()):
        machine = fleet.nodes[node]
        shares = {name: _share(fleet, machine, fleet.pools[name], copies) for name, copies in sorted(pools.items())}
        units_here = {unit_name(name): _unit(fleet, fleet.pools[name], share, policy) for name, share in shares.items()}
        units_here[PARENT] = _parent(fleet, machine, sum(shares.values()), policy)
        found[node] = dict(sorted(units_here.items()))
    return found


def _standing(fleet: Fleet, placement: Placement) -> dict[str, dict[str, list[Instance]]]:
    """Return node → pool → the copies there that join its slice."""
    found: dict[str, dict[str, list[Instance]]] = {}
    for copy, seat in sorted(placement.seats.items()):
        service = fleet.services[copy.service]
        if slice_of(fleet, service):
            found.setdefault(seat.node, {}).setdefault(service.pool, []).append(copy)
    return found


def _share(fleet: Fleet, node: Node, pool: Pool, copies: list[Instance]) -> int:
    """Return the CPU that the ledger charges for a pool on a node."""
    asked = (charge_on(fleet, fleet.services[copy.service], node, CPUS) for copy in copies)
    return pool_charge(pool, CPUS, (amount.amount for amount in asked if amount))


def _unit(fleet: Fleet, pool: Pool, share: int, policy: str) -> str:
    lines = [Line("CPUWeight", _weight(share, 1000), f"{units.show_cpus(share)} CPU charged to the pool on this node")]
    for (half, resource), amount in held(pool).items():
        written = _property(half, resource, amount.amount)
        if written:
            scaled = f", {amount.source}" if amount.was is not None else ""
            why = f": {amount.why or pool.why}" if amount.why or pool.why else ""
            lines.append(Line(*written, f"pools.{pool.name}.quota.{half}.{resource}{scaled}{why}"))
    description = f"Pool {pool.name} of the fleet {fleet.name}"
    return text("etc/systemd/system/slice", policy=policy, description=description, lines=lines)


def _property(half: str, resource: str, amount: int) -> tuple[str, str] | None:
    if resource == MEMORY:
        return "MemoryMax", units.compose_bytes(amount).upper().removesuffix("B")
    if resource == PIDS:
        return "TasksMax", str(amount)
    return ("CPUQuota", f"{-(-amount // 10)}%") if half == "limits" else None


def _parent(fleet: Fleet, node: Node, share: int, policy: str) -> str:
    """Return bayplan.slice: without a weight of its own, a small pool would get as much CPU as all other services."""
    capacity = node.has(CPUS)
    rest = max(capacity - share, 1)
    why = (
        f"{units.show_cpus(share)} of {units.show_cpus(capacity)} CPU: the part of the pools below, against the weight "
        f"of {_WEIGHT} that system.slice has"
    )
    lines = [Line("CPUWeight", _weight(share, rest), why)]
    description = f"Pools of the fleet {fleet.name}"
    return text("etc/systemd/system/slice", policy=policy, description=description, lines=lines)


def _weight(share: int, whole: int) -> str:
    return str(min(_HEAVIEST, max(1, round(_WEIGHT * share / whole))))


def slice_findings(fleet: Fleet) -> Iterator[Finding]:
    """Yield the pools whose slices would be one, and the members that stay outside of their pool's slice."""
    named: Mapping[str, Pool] = {name: pool for name, pool in sorted(fleet.pools.items()) if held(pool)}
    units_of: dict[str, str] = {}
    for name, pool in named.items():
        first = units_of.setdefault(unit_name(name), name)
        if first != name:
            message = f"its slice would be {unit_name(name)}, which is that of pool {first}"
            also = (fleet.pools[first].place,)
            yield error("pools/same-slice", pool.place, f"pools.{name}", message, "rename one of the two", also=also)
    for service in fleet.active():
        if service.pool in named and "cgroup_parent" in service.body:
            message = f"has a cgroup_parent of its own, so nothing holds it to the quota of pool {service.pool}"
            remedy = f"compose: {{cgroup_parent: !reset }} under services.{service.name}"
            yield warning("pools/outside-slice", service.place, str(service.name), message, remedy)
