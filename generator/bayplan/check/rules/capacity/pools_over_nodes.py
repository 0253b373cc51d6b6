"""Pools that promise more together than the nodes have to give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model import units
from bayplan.model.quantity import CPUS, MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.model.quantity import Quantity

RULE = Rule("capacity/pools-over-nodes", Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each resource of which all pools together are promised more than there is room for."""
    for resource in (CPUS, MEMORY):
        asked = _asked(survey, resource)
        room = sum(node.room(resource) for node in survey.fleet.nodes.values())
        total = sum(amount.amount for amount in asked.values())
        if total <= room or not room:
            continue
        largest = max(asked, key=lambda name: (asked[name].amount, name))
        left = room - (total - asked[largest].amount)
        sums = " + ".join(units.show(resource, amount.amount) for amount in asked.values())
        path = ("pools", largest, "quota", "requests")
        yield RULE.finding(
            asked[largest].place,
            f"pools.{largest}",
            f"is promised more {resource} than is left: all pools together have {units.show(resource, total)}, "
            f"the nodes have room for {units.show(resource, room)}",
            arithmetic=f"{sums} = {units.show(resource, total)} > {units.show(resource, room)}",
            paste=survey.paste_amount(path, resource, left) if left > 0 else "",
            remedy="" if left > 0 else "take pools away, or add a node",
            also=tuple(amount.place for name, amount in asked.items() if name != largest),
        )


def _asked(survey: Survey, resource: str) -> dict[str, Quantity]:
    """Return pool → what it is promised for the whole fleet."""
    quotas = {name: pool.quota.get("requests", {}) for name, pool in survey.fleet.pools.items() if not pool.per_node}
    return {name: quota[resource] for name, quota in sorted(quotas.items()) if resource in quota}
