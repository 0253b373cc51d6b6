"""A limit that no machine has, on which the service may stand: it bounds nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.analyse.charge import charge
from bayplan.analyse.pools import pool_charge
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model import units
from bayplan.model.quantity import CPUS, MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.model.fleet import Node
    from bayplan.model.service import Service

RULE = Rule("capacity/limit-over-node", Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each limit above what the largest node has, of those that the service may stand on."""
    for resource in (CPUS, MEMORY):
        everywhere = max(survey.fleet.nodes.values(), key=lambda node: (node.has(resource), node.name), default=None)
        for service in survey.services:
            limit = service.limits.get(resource)
            node = _largest(survey, service, resource) or everywhere
            if limit is None or node is None or not node.has(resource) or limit.amount <= node.has(resource):
                continue
            if _alone(survey, service, resource) > node.room(resource):
                continue  # what one copy is charged is larger than any node: that says it already
            most = units.show(resource, node.has(resource))
            path = survey.path_of(service, "limits")
            yield RULE.finding(
                limit.place,
                service.name,
                f"is limited to {units.show(resource, limit.amount)} of {resource}, more than a whole machine has",
                arithmetic=f"{units.show(resource, limit.amount)} > {most} ({node.name})",
                paste=survey.paste_amount(path, resource, max(_asked(service, resource), node.room(resource))),
            )


def _largest(survey: Survey, service: Service, resource: str) -> Node | None:
    """Return the largest of the nodes that the service is bound to; None if it may stand anywhere."""
    rule = service.placement
    names = (rule.node,) if rule.node else rule.nodes
    nodes = [survey.fleet.nodes[name] for name in names if name in survey.fleet.nodes]
    return max(nodes, key=lambda node: (node.has(resource), node.name), default=None)


def _alone(survey: Survey, service: Service, resource: str) -> int:
    """Return what one copy is charged on an empty node: never more than the quota of its pool on demand."""
    amount, pool = charge(survey.fleet, service, resource), survey.fleet.pools.get(service.pool)
    asked = amount.amount if amount else 0
    return pool_charge(pool, resource, (asked,)) if pool else asked


def _asked(service: Service, resource: str) -> int:
    request = service.requests.get(resource)
    return request.amount if request and request.place != service.limits[resource].place else 0
