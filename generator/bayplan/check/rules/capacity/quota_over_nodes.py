"""A quota of limits that leaves nothing of the nodes to anybody else, or reaches into what is reserved."""

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

RULE = Rule("capacity/quota-over-nodes", Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each resource of which the quotas of limits are together more than there is room for."""
    for resource in (CPUS, MEMORY):
        limits = {
            name: pool.quota["limits"][resource]
            for name, pool in sorted(survey.fleet.pools.items())
            if not pool.per_node and resource in pool.quota.get("limits", {})
        }
        room = sum(node.room(resource) for node in survey.fleet.nodes.values())
        for name, quota in limits.items():
            if room and quota.amount > room:
                yield RULE.finding(
                    quota.place,
                    f"pools.{name}",
                    f"may take {units.show(resource, quota.amount)} of {resource}, more than the nodes have room for",
                    arithmetic=f"{units.show(resource, quota.amount)} > {units.show(resource, room)}",
                    paste=survey.paste_amount(("pools", name, "quota", "limits"), resource, room),
                )
        total = sum(quota.amount for quota in limits.values())
        if room and total > room and all(quota.amount <= room for quota in limits.values()):
            last = max(limits, key=lambda name: (limits[name].amount, name))
            sums = " + ".join(units.show(resource, quota.amount) for quota in limits.values())
            yield RULE.finding(
                limits[last].place,
                f"pools.{last}",
                f"is the largest of pools that may take more {resource} together than the nodes have room for",
                arithmetic=f"{sums} = {units.show(resource, total)} > {units.show(resource, room)}",
                paste=survey.paste_amount(
                    ("pools", last, "quota", "limits"), resource, room - total + limits[last].amount
                ),
                also=tuple(quota.place for name, quota in limits.items() if name != last),
            )
