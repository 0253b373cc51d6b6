"""Sets of cores against the CPUs that is asked of them: all members, of all tiers and pools, on one node."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bayplan.analyse.cores import show_cores, where_said
from bayplan.analyse.pools import pool_charge, together
from bayplan.finding import Finding, error
from bayplan.model.quantity import CPUS
from bayplan.model.units import in_policy, show_cpus
from bayplan.place.conflict.amend import show

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.analyse.coregroups import Group
    from bayplan.finding import Place
    from bayplan.model.service import Service

_MILLI = 1000
_STEP = 10
"""Docker's smallest step of a CPU limit."""


def too_few(group: Group, free: tuple[int, ...], spare: int) -> Finding:
    """Return what is wrong with a group that asks for more CPUs than it has cores.

    Args:
        group: the copies.
        free: cores of the node that are in no set and nobody's.
        spare: how many of them the group may have.
    """
    there = len(group.cores) * _MILLI
    label, shown = group.label, show_cores(group.cores)
    largest = max(group.services, key=lambda one: (group.each(one), str(one.name)))
    needed, better = (-(-amount // _MILLI) - len(group.cores) for amount in (group.asked, group.wanted))
    said = {one.name: where_said(group.fleet, one) for one in group.services}
    path, at_cores = said[largest.name]
    if label:
        path, at_cores = ("nodes", group.node.name, "core_map", label), group.node.core_places.get(label, at_cores)
    if needed <= spare:
        more = free[: better if better <= spare else needed]
        place, paste = at_cores, show(path, f'"{show_cores([*group.cores, *more])}"')
    else:
        place, paste = group.place(largest), _smaller(group, there)
    asks = "asks" if len(group.services) == 1 else "ask"
    has = f"the set {label} has" if label else f"the cores are that {'it names' if asks == 'asks' else 'they name'}"
    return error(
        "pinning/too-few-cores",
        place,
        f"nodes.{group.node.name}.core_map.{label}" if label else str(largest.name),
        f"{group.listed()} {asks} more CPUs of {group.node.name} than {has}",
        "or other cores for some of them" if len(group.services) > 1 else "",
        arithmetic=f"{_sum(group)} > {len(group.cores)} ({shown})",
        also=tuple(one for one in dict.fromkeys(_places(group, at_cores)) if one != place),
        paste=paste,
    )


def _places(group: Group, at_cores: Place) -> Iterator[Place]:
    """Yield all lines that make the sum: the CPUs of each, how many copies there are, and the cores."""
    yield at_cores
    for service in group.services:
        yield group.place(service)
        yield where_said(group.fleet, service)[1]
        if service.replicas.count > 1:
            yield service.replicas.place


def _sum(group: Group) -> str:
    """Return `2 (postgres) + 1 (redis) = 3 CPU`; members of a pool on demand are one part."""
    copies = Counter(one.name for one in group.copies)
    pooled: dict[str, list[int]] = {}
    parts = []
    for service in group.services:
        pool, each = group.fleet.pools.get(service.pool), group.each(service)
        if pool is not None and pool.scaling == "on-demand":
            pooled.setdefault(pool.name, []).extend([each] * copies[service.name])
        elif each:
            times = f"{copies[service.name]} x " if copies[service.name] > 1 else ""
            parts.append(f"{times}{show_cpus(each)} ({service.name.name})")
    for name, amounts in pooled.items():
        parts.append(f"{show_cpus(pool_charge(group.fleet.pools[name], CPUS, amounts))} (pool {name}, on demand)")
    return f"{' + '.join(parts)} = {show_cpus(group.asked)} CPU"


def _smaller(group: Group, there: int) -> str:
    """Return the fragment that makes them fit: the largest alone if half of it is left, else all by one share."""
    copies = Counter(one.name for one in group.copies)
    most = max(group.services, key=lambda one: (group.each(one) * copies[one.name], str(one.name)))
    left = group.each(most) + (there - group.asked) // copies[most.name]
    pool = group.fleet.pools.get(most.pool)
    if 2 * left >= group.each(most) and (pool is None or pool.scaling != "on-demand"):
        return show(("services",), {str(most.name): _within(most, left, there)})
    # A quota bounds what members on demand are charged: by how much they shrink it does not.
    for whole in (group.asked, sum(map(group.each, group.copies))):
        sizes = {one.name: group.each(one) * there // whole for one in group.services}
        if together(group.fleet, CPUS, [(one, sizes[one.name]) for one in group.copies]) <= there:
            break
    return show(
        ("services",),
        {str(one.name): _within(one, sizes[one.name], there) for one in group.services if group.each(one)},
    )


def _within(service: Service, amount: int, there: int) -> dict[str, dict[str, str]]:
    """Return what makes a copy ask for so much CPU, and its limit no more than there is."""
    limit = service.limits.get(CPUS)
    more = {"limits": {CPUS: in_policy(CPUS, there)}} if limit is not None and limit.amount > there else {}
    return {**more, **smaller(service, amount)}


def smaller(service: Service, amount: int) -> dict[str, dict[str, str]]:
    """Return what a policy says so that a copy asks for so much CPU; the limit too where it has to be equal."""
    halves = [half for half, said in (("requests", service.requests), ("limits", service.limits)) if CPUS in said]
    if halves == ["requests", "limits"] and service.qos != "guaranteed":
        halves = ["requests"]
    size = in_policy(CPUS, max(_STEP, amount // _STEP * _STEP))
    return {half: {CPUS: size} for half in halves or ["requests"]}
