"""Remedies that give more: raise a node's ceiling, or the node itself."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from bayplan.model import units
from bayplan.model.quantity import CPUS, DISK, MEMORY
from bayplan.place.conflict.remedy import BUY, CEILING, Case, Remedy, least, remedy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.model.fleet import Node
    from bayplan.place.constraints.lines import PolicyLine

_STEP = {MEMORY: units.GIB, CPUS: 1000}
_NODES = 4
"""How many nodes of a conflict are tried, by name: any larger machine would do, and one offer is enough."""
_HIGHEST = 95
"""Percent: a line above it leaves nothing for what nobody counted."""


def larger(case: Case) -> Iterator[Remedy]:
    """Yield the ceilings and the capacities that end a conflict, each as small as it can be."""
    lines = [line for line in case.lines if line.kind == "capacity" and not line.detail.startswith(DISK)]
    for line in lines[:_NODES]:
        if not case.hopeless(line):
            node = case.fleet.nodes[line.subject]
            yield from _ceiling(case, node, line.detail)
            yield from _capacity(case, node, line)


def _ceiling(case: Case, node: Node, resource: str) -> Iterator[Remedy]:
    share = node.ceilings.get(resource)
    if share is not None:
        now = int(share.value * 100)
        path = ("nodes", node.name, "ceilings", resource)
        percent = least(now + 1, _HIGHEST, lambda number: case.ends(path, f"{number}%"))
        if percent is not None:
            yield remedy(CEILING, 10 * (percent - now), path, f"{percent}%")


def _capacity(case: Case, node: Node, line: PolicyLine) -> Iterator[Remedy]:
    resource, now = line.detail, node.has(line.detail)
    step = _STEP.get(resource, 1)
    needed = _everything(case, node, resource)
    path = ("nodes", node.name, *(() if resource in _STEP else ("resources",)), resource)
    first = now // step + 1
    steps = least(
        first, max(first, -(-needed // step)), lambda number: case.ends(path, _words(resource, number * step))
    )
    if steps is not None and now:
        yield remedy(BUY, 1000 * (steps * step - now) // now, path, _words(resource, steps * step))


def _everything(case: Case, node: Node, resource: str) -> int:
    """Return the capacity that would hold every copy of the fleet under the node's line."""
    copies = {service.name: service.replicas.count for service in case.problem.services}
    charged = case.problem.bill(node, resource).charged(lambda name: copies.get(name, 0))
    share = node.ceilings[resource].value if resource in node.ceilings else Fraction(1)
    return -int(-(charged + node.reserved(resource)) // share) if share else 0


def _words(resource: str, amount: int) -> Any:
    if resource == MEMORY:
        return units.policy_bytes(amount)
    return amount // 1000 if resource == CPUS else amount
