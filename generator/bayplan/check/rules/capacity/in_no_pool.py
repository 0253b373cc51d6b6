"""Services outside of every pool, where the pools were meant to share the fleet out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.analyse.charge import charge
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model import units
from bayplan.model.quantity import CPUS, MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("capacity/in-no-pool", Severity.WARNING)
_MOST = 5


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each resource where quotas and the services of no pool are more than there is room for."""
    outside = survey.pools.get("", ())
    for resource in (CPUS, MEMORY):
        quotas = {
            name: pool.quota["requests"][resource].amount
            for name, pool in sorted(survey.fleet.pools.items())
            if not pool.per_node and resource in pool.quota.get("requests", {})
        }
        largest_room = max((node.room(resource) for node in survey.fleet.nodes.values()), default=0)
        sizes = {
            one.name: amount.amount * one.replicas.count
            for one in outside
            if (amount := charge(survey.fleet, one, resource)) and 0 < amount.amount <= largest_room
        }
        room = sum(node.room(resource) for node in survey.fleet.nodes.values())
        promised, asked = sum(quotas.values()), sum(sizes.values())
        if not quotas or promised > room or promised + asked <= room:
            continue
        largest = sorted(sizes, key=lambda name: (-sizes[name], name))
        named = " + ".join(f"{units.show(resource, sizes[name])} ({name})" for name in largest[:_MOST])
        more = f" + {len(largest) - _MOST} more" if len(largest) > _MOST else ""
        yield RULE.finding(
            survey.fleet.services[largest[0]].place,
            largest[0],
            f"belongs to no pool, and the pools are promised what it needs of {resource}",
            arithmetic=f"pools {units.show(resource, promised)} + outside {named}{more} = "
            f"{units.show(resource, promised + asked)} > {units.show(resource, room)}",
            paste=_smaller(survey, resource, quotas, promised + asked - room),
            remedy="give it a pool whose quota has room, or promise less",
            also=tuple(survey.fleet.services[name].place for name in largest[1:]),
        )


def _smaller(survey: Survey, resource: str, quotas: Mapping[str, int], missing: int) -> str:
    """Return a quota that its members still fit into when it is smaller by what is missing, or nothing."""
    for name, quota in quotas.items():
        members = survey.pools.get(name, ())
        taken = sum(
            amount.amount * one.replicas.count for one in members if (amount := charge(survey.fleet, one, resource))
        )
        if taken <= quota - missing:
            return survey.paste_amount(("pools", name, "quota", "requests"), resource, quota - missing)
    return ""
