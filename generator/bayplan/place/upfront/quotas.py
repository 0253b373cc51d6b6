"""Pools against their members: sums that hold or do not, wherever anything stands."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bayplan.analyse.pools import asks
from bayplan.finding import Finding, error
from bayplan.model.names import Name
from bayplan.model.quantity import MEMORY
from bayplan.model.units import MIB, in_policy, show
from bayplan.place.conflict.amend import show as show_line
from bayplan.place.upfront.sizes import halves

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bayplan.finding import Place
    from bayplan.model.fleet import Fleet, Pool
    from bayplan.model.quantity import Quantity
    from bayplan.model.service import Service


def quotas(fleet: Fleet) -> Iterator[Finding]:
    """Yield every pool whose members ask for more than its quota, or that cannot run one of them."""
    for _, pool in sorted(fleet.pools.items()):
        for kind, bounds in sorted(pool.quota.items()):
            for resource, quota in sorted(bounds.items()):
                if pool.scaling == "on-demand":
                    yield from _each(fleet, pool, kind, resource, quota)
                elif not pool.per_node:
                    yield from _all(fleet, pool, kind, resource, quota)


def _all(fleet: Fleet, pool: Pool, kind: str, resource: str, quota: Quantity) -> Iterator[Finding]:
    asked = [(one, asks(fleet, one, kind, resource) * one.replicas.count) for one in fleet.members(pool.name)]
    total = sum(amount for _, amount in asked)
    if total > quota.amount:
        # As much as they grow to: a quota for the copies of now alone would be too small for those to come.
        grown = [amount * one.replicas.maximum // one.replicas.count for one, amount in asked if amount]
        most = max(total, sum(grown))
        parts = " + ".join(f"{show(resource, amount)} ({one.name})" for one, amount in asked if amount)
        yield error(
            "pool/quota",
            quota.place,
            f"pools.{pool.name}.quota.{kind}.{resource}",
            f"the members of pool {pool.name} ask for more than its quota",
            f"raise the quota to {show(resource, most)}, lower the members, or let the pool run on demand",
            arithmetic=f"{parts} = {show(resource, total)} > {show(resource, quota.amount)}",
            paste=_lowered(fleet, asked, quota, kind, resource, most) or _raised(pool, kind, resource, most),
            also=_said([one for one, _ in asked], kind, resource),
        )


def _lowered(
    fleet: Fleet, asked: list[tuple[Service, int]], quota: Quantity, kind: str, resource: str, most: int
) -> str:
    """Return what makes the largest member fit a quota that the nodes could not have as high as it would have to be."""
    shared = [one.quota.get("requests", {}).get(resource) for one in fleet.pools.values() if not one.per_node]
    promised = sum(one.amount for one in shared if one is not None and one != quota)
    outside = sum(asks(fleet, one, kind, resource) * one.replicas.count for one in fleet.active() if not one.pool)
    if kind != "requests" or promised + outside + most <= sum(node.room(resource) for node in fleet.nodes.values()):
        return ""
    largest, amount = max(asked, key=_amount)
    others = sum(one * member.replicas.maximum // member.replicas.count for member, one in asked if one)
    each = (quota.amount - others) // largest.replicas.maximum + amount // largest.replicas.count
    step = MIB if resource == MEMORY else 10
    if each < step:
        return ""
    return show_line(("services", str(largest.name)), halves(largest, resource, each // step * step))


def _amount(one: tuple[Service, int]) -> int:
    return one[1]


def _said(members: Iterable[Service], kind: str, resource: str) -> tuple[Place, ...]:
    """Return where members say what they ask, and of how many copies."""
    places: dict[Place, None] = {}
    for one in members:
        halves = (one.limits,) if kind == "limits" else (one.requests, one.limits, one.estimates)
        found = next((half[resource].place for half in halves if resource in half), None)
        places |= dict.fromkeys(
            [*([found] if found else []), *([one.replicas.place] if one.replicas.count > 1 else [])]
        )
    return tuple(places)


def _each(fleet: Fleet, pool: Pool, kind: str, resource: str, quota: Quantity) -> Iterator[Finding]:
    members = {one.name: one for one in fleet.members(pool.name)}
    for name, member in sorted(members.items()):
        needed = sorted(closure(member, members))
        amounts = [asks(fleet, members[one], kind, resource) for one in needed]
        if sum(amounts) > quota.amount:
            places = _said([members[one] for one in needed], kind, resource)
            yield replace(
                _below(pool, kind, resource, quota, name, list(zip(needed, amounts, strict=True))), also=places
            )


def closure(member: Service, members: dict[Name, Service]) -> set[Name]:
    """Return a member with all members that it depends on: on demand they start together."""
    found: set[Name] = set()
    waiting = [member]
    while waiting:
        one = waiting.pop()
        if one.name not in found:
            found.add(one.name)
            needed = (Name(one.name.project, edge.name) for edge in one.depends_on if edge.required)
            waiting.extend(members[name] for name in needed if name in members)
    return found


def _below(pool: Pool, kind: str, resource: str, quota: Quantity, name: Name, parts: list[tuple[Name, int]]) -> Finding:
    total = sum(amount for _, amount in parts)
    shown = " + ".join(f"{show(resource, amount)} ({one})" for one, amount in parts if amount)
    needs = " with what it depends on" if len(parts) > 1 else ""
    return error(
        "quota/below-members",
        quota.place,
        f"pools.{pool.name}.quota.{kind}.{resource}",
        f"{name}{needs} never fits the quota of pool {pool.name}, so it could never start",
        f"raise the quota to {show(resource, total)}",
        arithmetic=f"{shown} > {show(resource, quota.amount)}",
        paste=_raised(pool, kind, resource, total),
    )


def _raised(pool: Pool, kind: str, resource: str, total: int) -> str:
    return f"pools: {{{pool.name}: {{quota: {{{kind}: {{{resource}: {in_policy(resource, total)}}}}}}}}}"
