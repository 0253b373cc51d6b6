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
    from collections.abc import Iterator, Mapping, Sequence

    from bayplan.model.fleet import Node
    from bayplan.model.service import GpuAsk, Service
    from bayplan.place.constraints.lines import Key
    from bayplan.place.constraints.problem import Problem

_CPU_STEP = 10
"""Thousandths of a CPU: Docker's smallest step."""
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
    left = _left(problem)
    for service in problem.services:
        yield from _unknown_nodes(problem, service)
        yield from _too_large(problem, service, left)
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


def _left(problem: Problem) -> dict[str, int]:
    """Return resource → what all nodes have beyond what services ask, those left out that are too large for any."""
    rooms = {key: [problem.room(node, key) or 0 for node in problem.nodes] for key in problem.resources}
    left = {resource: sum(some) for resource, some in rooms.items()}
    most = {resource: max(some) for resource, some in rooms.items()}
    for service in problem.services:
        for resource in left:
            line = problem.demands.get((service.name, resource))
            if line is not None and line.amount <= most[resource]:
                left[resource] -= line.amount * max(service.replicas.count, service.replicas.maximum)
    return left


def _too_large(problem: Problem, service: Service, left: Mapping[str, int]) -> Iterator[Cause]:
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
            most = max(problem.room(one, resource) or 0 for one in _open(problem, service))
            beside = left.get(resource, 0) // max(1, service.replicas.count, service.replicas.maximum)
            paste = _smaller(service, resource, min(most, beside) if beside > 0 else most)
            yield _large(service, resource, line, (least, room or 0, node.name), paste), frozenset({line.key})


def _alone(problem: Problem, service: Service, node: Node, resource: str) -> int:
    """Return what one copy on an empty node is charged: never more than the quota of its pool on demand."""
    amount = problem.demand(service, node, resource)
    pool = problem.fleet.pools.get(service.pool)
    return pool_charge(pool, resource, (amount,)) if pool else amount


def _large(service: Service, resource: str, line: lines.PolicyLine, sizes: tuple[int, int, str], paste: str) -> Finding:
    amount, room, node = sizes
    return error(
        "capacity/larger-than-any-node",
        line.place,
        str(service.name),
        f"one copy of {service.name} is larger than any node: the most room in {resource} is on {node}",
        "or add a larger node" if paste else f"lower it to at most {show(resource, room)}, or add a larger node",
        arithmetic=f"{show(resource, amount)} > {show(resource, room)}",
        paste=paste,
    )


def _smaller(service: Service, resource: str, room: int) -> str:
    """Return the fragment that makes a copy as large as the room; empty if that is too little to be written."""
    step = MIB if resource == MEMORY else _CPU_STEP if resource == CPUS else 1
    most = room // step * step
    both = {"requests": service.requests, "limits": service.limits}
    said = {half: amounts[resource].amount for half, amounts in both.items() if resource in amounts}
    halves = [half for half, amount in said.items() if amount > most] if said else ["requests"]
    value = {half: {resource: in_policy(resource, most)} for half in halves}
    return show_line(("services", str(service.name)), value) if most and value else ""


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
        paste = _most(problem, service, ask)
        finding = error("gpu/nowhere", ask.place, str(service.name), message, remedy, arithmetic=reasons, paste=paste)
        yield finding, frozenset({line.key})


def _most(problem: Problem, service: Service, ask: GpuAsk) -> str:
    """Return the fragment that asks for the most of the same that is given where it may stand, or else on another node.

    Empty if no node has any.
    """
    size = _size(ask, _open(problem, service))
    if size:
        return show_line(("services", str(service.name), "gpu"), size)
    givers = [(found, node.name) for node in problem.nodes if (found := _size(ask, [node]))]
    if not givers:
        return ""
    found, node = givers[0]
    return show_line(("services", str(service.name)), {"gpu": found, "placement": node})


def _size(ask: GpuAsk, nodes: Sequence[Node]) -> dict[str, object]:
    whole = max((cards.whole(ask, node) for node in nodes), default=0)
    rooms = [group.room for node in nodes for group in cards.groups(node) if not group.slices]
    if ask.memory and max(rooms, default=0) >= MIB:
        return {"memory": in_policy(GPU_MEMORY, max(rooms) // MIB * MIB)}
    return {"count": whole} if ask.count and whole else {}


def _open(problem: Problem, service: Service) -> Sequence[Node]:
    """Return the nodes on which a service may stand, as far as nobody else is concerned; all if there is none."""
    return [node for node in problem.nodes if may_stand(service, node)] or problem.nodes
