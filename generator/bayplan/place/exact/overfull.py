"""Sums that already say no, so that the solver need not be asked: more is bound to some nodes than they have room for.

Nodes are looked at alone, all together, and in the sets that services are bound to. A pool on demand that is divided
among nodes is charged at least what it would be charged on one, so one bill for all of them is never too large.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.model.quantity import CPUS
from bayplan.place.constraints.problem import same_disk

if TYPE_CHECKING:
    from bayplan.model.fleet import Node
    from bayplan.model.names import Name
    from bayplan.place.constraints.problem import Problem


def overfull(problem: Problem) -> bool:
    """Whether the copies that are bound to some nodes are charged more than there is room on them."""
    refused = problem.refused()
    names = [node.name for node in problem.nodes]
    copies = {one.name: one.replicas.count for one in problem.services}
    left = {name: frozenset(node for node in names if (name, node) not in refused) for name in copies}
    if not all(left.values()):
        return True
    return any(
        _too_full(problem, some, left, copies) for some in sorted({frozenset(names), *left.values()}, key=sorted)
    )


def _too_full(
    problem: Problem, some: frozenset[str], left: dict[Name, frozenset[str]], copies: dict[Name, int]
) -> bool:
    nodes = [node for node in problem.nodes if node.name in some]
    bound = {name: number for name, number in copies.items() if left[name] <= some}
    return any(_over(problem, nodes, resource, bound) for resource in problem.resources)


def _over(problem: Problem, nodes: list[Node], resource: str, bound: dict[Name, int]) -> bool:
    rooms = [problem.room(node, resource) for node in nodes]
    unlike = resource == CPUS and len({node.threads_per_core for node in nodes}) > 1  # whole cores differ in size
    if unlike or not same_disk(nodes, resource) or None in rooms:
        return False
    charged = problem.bill(nodes[0], resource).charged(lambda name: bound.get(name, 0))
    return charged > sum(room for room in rooms if room is not None)
