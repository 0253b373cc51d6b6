"""Remedies that ask for less: lower a limit, several in proportion, fewer copies, or taking turns."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from bayplan.analyse.pools import asks
from bayplan.model import units
from bayplan.model.quantity import CPUS, GPU_MEMORY, MEMORY
from bayplan.place.conflict import amend
from bayplan.place.conflict.remedy import FEWER, LOWER, TAKE_TURNS, Case, Remedy, least, remedy
from bayplan.place.constraints.lines import GPU, gpu_demand
from bayplan.place.upfront.quotas import closure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.model.fleet import Fleet
    from bayplan.model.service import Service
    from bayplan.place.constraints.lines import PolicyLine

_STEP = {MEMORY: 128 * units.MIB, GPU_MEMORY: 128 * units.MIB, CPUS: 50}
_NEW_POOL = "on-demand"
_LARGEST = 4
"""How many demands are tried one by one, the largest first."""
_LEAST_SHARE = Fraction(1, 4)
"""A cut below a quarter is no remedy any more."""
_SLIGHT, _HARSH = 25, 75
"""Percent that several demands may lose at once: rather a little of many than most of a few."""


def smaller(case: Case) -> Iterator[Remedy]:
    """Yield the changes by which services of a conflict ask for less; several at once only if none alone will do."""
    demands = sorted(_demands(case), key=lambda line: (-line.amount, line))
    alone = [found for line in demands[:_LARGEST] if (found := _lower(case, line))]
    yield from alone
    if not alone:
        yield from _in_proportion(case, demands)
    yield from _fewer(case, demands)
    yield from _turns(case, demands)


def _demands(case: Case) -> Iterator[PolicyLine]:
    for line in case.lines:
        service = case.fleet.services.get(amend.name_of(line.subject)) if line.kind == "demand" else None
        if service and (line.detail != GPU or line.amount):
            yield line


def _resource(line: PolicyLine) -> str:
    return GPU_MEMORY if line.detail == GPU else line.detail


def _lower(case: Case, line: PolicyLine) -> Remedy | None:
    """Return the smallest cut of one demand that ends the conflict."""
    if case.hopeless(line):
        return None
    resource = _resource(line)
    step = _STEP.get(resource, 1)
    service = case.fleet.services[amend.name_of(line.subject)]
    most = int(line.amount * (1 - _LEAST_SHARE)) // step

    def change(steps: int) -> dict[str, Any]:
        return lowered(case.fleet, service, resource, (line.amount - 1) // step * step - (steps - 1) * step)

    steps = least(1, most, lambda number: case.ends(("services", line.subject), change(number)))
    if steps is None:
        return None
    return remedy(LOWER, 1000 * steps * step // line.amount, *_tight(("services", line.subject), change(steps)))


def _tight(path: tuple[str, ...], value: dict[str, Any]) -> tuple[tuple[str, ...], Any]:
    """Return the same change with as long a path as it has one."""
    only: Any = value
    while isinstance(only, dict) and len(only) == 1:
        ((key, only),) = only.items()
        path = (*path, key)
    return path, only


def lowered(fleet: Fleet, service: Service, resource: str, amount: int) -> dict[str, Any]:
    """Return the policy's words by which one copy is charged no more than an amount: both halves of the guaranteed."""
    if resource == GPU_MEMORY:
        return {"gpu": _words(resource, amount)}
    if service.qos == "guaranteed":
        return {half: {resource: _words(resource, amount)} for half in ("limits", "requests")}
    found: dict[str, Any] = {}
    request, limit = service.requests.get(resource), service.limits.get(resource)
    factor = fleet.tier_of(service).overcommit.get(resource, Fraction(1) if resource == MEMORY else None)
    if limit and factor and limit.amount / factor > amount:
        found["limits"] = {resource: _words(resource, int(amount * factor))}
    if request and request.amount > amount:
        found["requests"] = {resource: _words(resource, amount)}
    if found:
        return found
    return {("limits" if resource == MEMORY else "requests"): {resource: _words(resource, amount)}}


def _words(resource: str, amount: int) -> Any:
    if resource in {MEMORY, GPU_MEMORY}:
        return units.policy_bytes(amount)
    return f"{amount}m" if resource == CPUS else amount


def _in_proportion(case: Case, demands: list[PolicyLine]) -> Iterator[Remedy]:
    """Cut the largest demands by one share, as few of them as end the conflict; else all that stand on its nodes."""
    for resource in sorted({_resource(line) for line in demands}):
        some = [line for line in demands if _resource(line) == resource]
        wider = _neighbours(case, resource) if resource != GPU_MEMORY else []
        for most, lines in ((_SLIGHT, some), (_SLIGHT, wider), (_HARSH, some), (_HARSH, wider)):
            found = _scaled_down(case, lines, resource, most)
            if found:
                yield found
                break


def _scaled_down(case: Case, some: list[PolicyLine], resource: str, most: int) -> Remedy | None:
    """Return the cut of the fewest of some demands that ends the conflict with at most so many percent off each."""

    def change(number: int, percent: int) -> dict[str, Any]:
        return {line.subject: _scaled(case, line, resource, percent) for line in sorted(some[:number])}

    if case.hopeless(*some):
        return None
    number = least(2, len(some), lambda size: case.ends(("services",), change(size, most)))
    if number is None:
        return None
    percent = least(1, most, lambda share: case.ends(("services",), change(number, share))) or most
    return remedy(LOWER, percent * 10, ("services",), change(number, percent))


def _neighbours(case: Case, resource: str) -> list[PolicyLine]:
    """Return all demands of those that stand, or are to stand, on the nodes of the conflict; the largest first."""
    nodes = {line.subject for line in case.lines if line.kind == "capacity" and line.detail == resource}
    there = []
    for service in case.problem.services:
        line = case.problem.demands.get((service.name, resource))
        bound = {service.placement.only} if service.placement.only else set(case.problem.standing.get(service.name, {}))
        if line and line.key not in case.problem.dropped and bound & nodes:
            there.append(line)
    return sorted(there, key=lambda line: (-line.amount, line))


def _scaled(case: Case, line: PolicyLine, resource: str, percent: int) -> dict[str, Any]:
    step = _STEP.get(resource, 1)
    amount = max(step, line.amount * (100 - percent) // 100 // step * step)
    return lowered(case.fleet, case.fleet.services[amend.name_of(line.subject)], resource, amount)


def _fewer(case: Case, demands: list[PolicyLine]) -> Iterator[Remedy]:
    """Run fewer copies of one service."""
    for subject in sorted({line.subject for line in demands}):
        service = case.fleet.services[amend.name_of(subject)]
        copies = service.replicas.count
        if copies == 1 or case.hopeless(*_asked(case, service)):
            continue
        path = ("services", subject)

        def ends(less: int, service: Service = service, path: tuple[str, ...] = path) -> bool:
            return case.ends(path, _copies(service, service.replicas.count - less))

        fewer = least(1, copies - 1, ends)
        if fewer is not None:
            yield remedy(FEWER, 1000 * fewer // copies, path, _copies(service, copies - fewer))


def _asked(case: Case, service: Service) -> Iterator[PolicyLine]:
    """Yield all that a service asks for: fewer copies ask for less of each."""
    yield from (line for (name, _), line in case.problem.demands.items() if name == service.name)
    if service.gpu:
        yield gpu_demand(service, service.gpu)


def _copies(service: Service, copies: int) -> dict[str, Any]:
    """Return what a policy says to run so many copies: of what scales it is the least that counts."""
    if not service.replicas.scaled:
        return {"replicas": copies}
    first = {"replicas": copies} if ("replicas",) in service.settings else {}
    return {"scale": {"min": copies}, **first}


def _turns(case: Case, demands: list[PolicyLine]) -> Iterator[Remedy]:
    """Let a pool run on demand, or the least important services of the conflict in a new one."""
    services = [case.fleet.services[amend.name_of(subject)] for subject in sorted({line.subject for line in demands})]
    pooled = sorted({one.pool for one in services if one.pool in case.fleet.pools})
    for name in (one for one in pooled if case.fleet.pools[one].scaling != "on-demand"):
        pool = case.fleet.pools[name]
        if pool.concurrent or pool.quota.get("requests"):
            path = ("pools", name, "scaling")
            if case.ends(path, "on-demand"):
                yield remedy(TAKE_TURNS, 0, path, "on-demand")
        else:
            yield from _with_quota(case, name, case.fleet.members(name), {}, demands)
    yield from _new_pool(case, [one for one in services if one.pool not in case.fleet.pools], demands)


def _new_pool(case: Case, free: list[Service], demands: list[PolicyLine]) -> Iterator[Remedy]:
    tiers = [case.fleet.tier_of(one) for one in free]
    ranks = sorted({tier.priority for tier in tiers})
    lowest = ranks[0] if len(ranks) > 1 else None  # among equals nobody has to give way
    members = [one for one, tier in zip(free, tiers, strict=True) if tier.preemptible or tier.priority == lowest]
    if len(members) > 1 and _NEW_POOL not in case.fleet.pools:
        named = {"services": [str(one.name) for one in members]}
        yield from _with_quota(case, _NEW_POOL, tuple(members), named, demands)


def _with_quota(
    case: Case, name: str, members: tuple[Service, ...], named: dict[str, Any], demands: list[PolicyLine]
) -> Iterator[Remedy]:
    """Find the largest quota that ends the conflict, as long as each member fits it with what it depends on."""
    for resource in sorted({line.detail for line in demands} & {MEMORY, CPUS}):
        step, path = _STEP[resource], ("pools", name)
        asked = {one.name: asks(case.fleet, one, "requests", resource) for one in members}
        total = sum(asked[one.name] * one.replicas.count for one in members)
        by_name = {one.name: one for one in members}
        needed = max(sum(asked[name] for name in closure(one, by_name)) for one in members)

        def change(steps: int, total: int = total, step: int = step, resource: str = resource) -> dict[str, Any]:
            quota = _words(resource, (total - 1) // step * step - (steps - 1) * step)
            return {"scaling": "on-demand", "quota": {"requests": {resource: quota}}, **named}

        most = (total - needed) // step
        # As above: the defaults bind the loop's names.
        steps = least(1, most, lambda number, path=path, change=change: case.ends(path, change(number)))  # type: ignore[misc]
        if steps is not None:
            yield remedy(TAKE_TURNS, 1000 * steps * step // total, path, change(steps))
