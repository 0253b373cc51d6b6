"""What the pools are charged: an on-demand pool never runs all of its members at once.

On demand, the members of a pool on one node are charged min(their sum, the quota, its `concurrent` largest): that is
the most that can ever run there together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bayplan.model.fleet import Pool


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
