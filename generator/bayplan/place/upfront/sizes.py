"""What no node can have: found by looking at one service at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.analyse import cards
from bayplan.analyse.eligible import may_stand, runs_on
from bayplan.analyse.pools import pool_charge
from bayplan.finding import NOWHERE, Finding, error
from bayplan.model.quantity import CPUS, GPU_MEMORY, MEMORY
from bayplan.model.units import MIB, in_policy, show
from bayplan.place.conflict.amend import show as show_line
from bayplan.place.constraints import lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bayplan.model.fleet import Node
    from bayplan.model.service import GpuAsk, Service
    from bayplan.place.constraints.lines import Key
    from bayplan.place.constraints.problem import Problem

_CPU_STEP = 10
"""Thousandths of a CPU: Docker's smallest step."""
_PARTS = 64
"""How finely the most that fits is looked for."""
TOO_LARGE, NO_CARD = "capacity/larger-than-any-node", "gpu/nowhere"
"""What is told of a size that no node has; `ways` returns the ways out."""
Change = tuple[tuple[str, ...], object]
"""A path of the policy, and what it should say."""
Cause = tuple[Finding, frozenset["Key"]]
"""A finding, and the lines that are dropped so that the search goes on for further causes."""


def sizes(problem: Problem) -> Iterator[Cause]:
    """Yield every service that is refused by each node alone, or fixed to one that is not there."""
    if not problem.nodes:
        message = f"there is no node in environment {problem.fleet.environment}"
        yield (
            error("node/none", NOWHERE, "nodes", message, "name its nodes, or choose another environment"),
            frozenset(),
        )
        return
    for service in problem.services:
        yield from _unknown_nodes(problem, service)
        yield from _too_large(problem, service)
        yield from _no_arch(problem, service)
        yield from _no_cards(problem, service)


def _unknown_nodes(problem: Problem, service: Service) -> Iterator[Cause]:
    rule, there = service.placement, sorted(problem.fleet.nodes)
    fixed, nodes = lines.fixed(service).key, lines.rule(service, "nodes", "", "").key
    for wanted, key in (([rule.node] if rule.node else [], fixed), (list(rule.nodes), nodes)):
        if wanted and not set(wanted) & set(there):
            message = (
                f"{service.name} may only stand on {', '.join(sorted(wanted))}, which is no node of this environment"
            )
            remedy = f"services: {{{service.name}: {{placement: {there[0]}}}}}" if there else "add a node"
            yield error("node/unknown", rule.place, str(service.name), message, remedy), frozenset({key})


def _too_large(problem: Problem, service: Service) -> Iterator[Cause]:
    for resource in problem.resources:
        line = problem.demands.get((service.name, resource))
        if line is None:
            continue
        rooms = [
            (problem.room(node, resource), _alone(problem, service, node, resource), node) for node in problem.nodes
        ]
        if all(room is not None and room < amount for room, amount, _ in rooms):
            room, _, node = max(rooms, key=lambda one: (one[0] or 0, one[2].name))
            least = min(amount for _, amount, _ in rooms)
            paste = _first(_smaller(problem, service, resource))
            yield _large(service, resource, line, (least, room or 0, node.name), paste), frozenset({line.key})


def _alone(problem: Problem, service: Service, node: Node, resource: str) -> int:
    """Return what one copy on an empty node is charged: never more than the quota of its pool on demand."""
    amount = problem.demand(service, node, resource)
    pool = problem.fleet.pools.get(service.pool)
    return pool_charge(pool, resource, (amount,)) if pool else amount


def _large(service: Service, resource: str, line: lines.PolicyLine, sizes: tuple[int, int, str], paste: str) -> Finding:
    amount, room, node = sizes
    return error(
        TOO_LARGE,
        line.place,
        str(service.name),
        f"one copy of {service.name} is larger than any node: the most room in {resource} is on {node}",
        "or add a larger node" if paste else f"lower it to at most {show(resource, room)}, or add a larger node",
        arithmetic=f"{show(resource, amount)} > {show(resource, room)}",
        paste=paste,
    )


def ways(problem: Problem, service: Service, resource: str) -> list[list[Change]]:
    """Return the changes by which some node could have a service: each list from the most that it may ask to the least.

    Args:
        problem: the fleet.
        service: what is too large.
        resource: in what, or `gpu` where no card gives what it asks for.
    """
    found = _less(problem, service, service.gpu) if resource == lines.GPU and service.gpu else []
    return found or _smaller(problem, service, resource)


def _first(some: list[list[Change]]) -> str:
    return show_line(*some[0][0]) if some else ""


def _parts(most: int, step: int) -> list[int]:
    """Return an amount and smaller ones down to a tenth of it, in whole steps, the largest first."""
    return list(
        dict.fromkeys(one for part in range(_PARTS, _PARTS // 10, -1) if (one := most * part // _PARTS // step * step))
    )


def _smaller(problem: Problem, service: Service, resource: str) -> list[list[Change]]:
    """Return what makes a copy as large as the most room where it may stand, or smaller."""
    most = max((problem.room(one, resource) or 0 for one in _open(problem, service)), default=0)
    step = MIB if resource == MEMORY else _CPU_STEP if resource == CPUS else 1
    both = {"requests": service.requests, "limits": service.limits}
    said = {half: amounts[resource].amount for half, amounts in both.items() if resource in amounts} or {
        "requests": most + 1
    }
    values = [
        {half: {resource: in_policy(resource, one)} for half, amount in said.items() if amount > one}
        for one in _parts(most, step)
    ]
    path = ("services", str(service.name))
    return [[(path, value) for value in values if value]] if any(values) else []


def _no_arch(problem: Problem, service: Service) -> Iterator[Cause]:
    if not any(runs_on(service, node) for node in problem.nodes):
        line = lines.arch(service)
        has = ", ".join(sorted({node.arch for node in problem.nodes}))
        message = f"the image of {service.name} is for {', '.join(sorted(service.platforms))}, the nodes are {has}"
        remedy = "use an image for one of these, or add a node"
        yield error("arch/nowhere", line.place, str(service.name), message, remedy), frozenset({line.key})


def _no_cards(problem: Problem, service: Service) -> Iterator[Cause]:
    ask = service.gpu
    if ask and all(cards.missing(ask, node) for node in problem.nodes):
        line = lines.gpu_demand(service, ask)
        found = [(cards.missing(ask, node), node.name) for node in problem.nodes]
        reasons = "; ".join(
            f"{reason}: {', '.join(n for r, n in found if r == reason)}" for reason in sorted({r for r, _ in found})
        )
        message = f"no node can give {service.name} what it asks of cards: {lines.show_ask(ask)}"
        remedy = "lower the ask, or add a node with such a card"
        paste = _first(_less(problem, service, ask))
        finding = error(NO_CARD, ask.place, str(service.name), message, remedy, arithmetic=reasons, paste=paste)
        yield finding, frozenset({line.key})


def halves(service: Service, resource: str, most: int) -> dict[str, object]:
    """Return what a service says so that it neither asks nor takes more than an amount."""
    both = {"requests": service.requests, "limits": service.limits}
    said = {half: amounts[resource].amount for half, amounts in both.items() if resource in amounts}
    over = [half for half, amount in said.items() if amount > most] if said else ["requests"]
    return {half: {resource: in_policy(resource, most)} for half in over}


def _less(problem: Problem, service: Service, ask: GpuAsk) -> list[list[Change]]:
    """Return what asks for the most of the same that is given where it may stand, or else on another node."""
    path, open_nodes = ("services", str(service.name)), _open(problem, service)
    here: list[Change] = [((*path, "gpu"), size) for size in _asks(ask, open_nodes)]
    elsewhere: list[list[Change]] = [
        [(path, {"gpu": size, "placement": node.name}) for size in _asks(ask, [node])]
        for node in problem.nodes
        if node not in open_nodes
    ]
    return [some for some in (here, *elsewhere) if some]


def _asks(ask: GpuAsk, nodes: Sequence[Node]) -> list[dict[str, object]]:
    """Return what some nodes could give of the same, the most first."""
    if ask.memory:
        rooms = [group.room for node in nodes for group in cards.groups(node) if not group.slices]
        return [{"memory": in_policy(GPU_MEMORY, one)} for one in _parts(max(rooms, default=0), MIB)]
    most = max((cards.whole(ask, node) for node in nodes), default=0) if ask.count else 0
    return [{"count": number} for number in range(min(most, ask.count), 0, -1)]


def _open(problem: Problem, service: Service) -> Sequence[Node]:
    """Return the nodes on which a service may stand, as far as nobody else is concerned; all if there is none."""
    return [node for node in problem.nodes if may_stand(service, node)] or problem.nodes
