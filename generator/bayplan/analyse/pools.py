"""What services are charged that never run all at once: members of on-demand pools, and of one time group on a card.

On demand, the members of a pool on one node are charged min(their sum, the quota, its `concurrent` largest): that is
the most that can ever run there together. Of a time group only the largest is charged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.analyse.charge import charge
from bayplan.model.quantity import GPU_MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bayplan.model.fleet import Fleet, Pool
    from bayplan.model.service import Service


def together(fleet: Fleet, resource: str, charges: Iterable[tuple[Service, int]]) -> int:
    """Return what copies on one node, or on one card, are charged together.

    Args:
        fleet: whose pools count.
        resource: without the number of a card.
        charges: service and amount of each copy.
    """
    total = 0
    pooled: dict[str, list[int]] = {}
    turns: dict[str, int] = {}
    for service, amount in charges:
        group = service.gpu.time_group if resource == GPU_MEMORY and service.gpu else ""
        if group:
            turns[group] = max(turns.get(group, 0), amount)
        elif service.pool in fleet.pools:
            pooled.setdefault(service.pool, []).append(amount)
        else:
            total += amount
    pools = sum(pool_charge(fleet.pools[name], resource, amounts) for name, amounts in pooled.items())
    return total + pools + sum(turns.values())


def pool_charge(pool: Pool, resource: str, members: Iterable[int]) -> int:
    """Return what the members of a pool that stand on one node are charged together, in the unit of the resource."""
    amounts = sorted(members, reverse=True)
    if pool.scaling != "on-demand":
        return sum(amounts)
    if pool.concurrent:
        amounts = amounts[: pool.concurrent]
    quota = quota_of(pool, resource)
    return sum(amounts) if quota is None else min(sum(amounts), quota)


def quota_of(pool: Pool, resource: str) -> int | None:
    """Return the pool's quota of requests in a resource, or None if it has none."""
    quota = pool.quota.get("requests", {}).get(resource)
    return quota.amount if quota else None


def asks(fleet: Fleet, service: Service, kind: str, resource: str) -> int:
    """Return what one copy asks of a pool's quota (`requests` or `limits`), in the unit of the resource."""
    if resource == GPU_MEMORY:
        return service.gpu.memory if service.gpu else 0
    stated = service.limits if kind == "limits" else service.requests
    quantity = stated.get(resource) or (service.limits.get(resource) if kind == "requests" else None)
    quantity = quantity or (charge(fleet, service, resource) if kind == "requests" else None)
    return quantity.amount if quantity else 0
