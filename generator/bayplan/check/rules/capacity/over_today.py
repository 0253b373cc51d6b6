"""Nodes that are asked for more than they have, as they stand today."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.analyse.charge import charge
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model import units
from bayplan.model.quantity import CPUS, MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.analyse.ledger import Row
    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("capacity/over-today", Severity.NOTE)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a note for each resource of which a node is asked for more than it has, AS-IS."""
    nodes = survey.before.fleet.nodes.values()
    largest = {resource: max((node.has(resource) for node in nodes), default=0) for resource in (CPUS, MEMORY)}
    for row in survey.before.ledger.rows:
        if row.resource not in largest or not row.capacity or row.bar <= row.capacity:
            continue
        if row.bar - _told(survey, row, largest[row.resource]) > row.capacity:
            node = survey.before.fleet.nodes[row.node]
            quantity = node.capacity.get(row.resource)
            yield RULE.finding(
                quantity.place if quantity else node.place,
                row.node,
                f"is asked for {units.show_share(row.bar, row.capacity)} of its {row.resource} today",
                arithmetic=_sum(row),
                remedy="bayplan plan POLICY shows the way out, step by step",
            )


def _told(survey: Survey, row: Row, largest: int) -> int:
    """Return what is there of which other rules say already that no node can have it: a reserve, and single copies."""
    before = survey.before
    reserve = row.reserve if row.reserve > row.line else 0
    here = before.services([row.node]) if row.charged > largest else ()
    each = ((one, charge(before.fleet, one, row.resource)) for one in here)
    return reserve + sum(
        before.charged_on(row.node, one, row.resource) for one, amount in each if amount and amount.amount > largest
    )


def _sum(row: Row) -> str:
    """Return `108.75 declared (32) + 57.5 estimated (21) = 166.25 of 64 GiB, over by 102.25 GiB`, replicas apart."""
    parts = [
        f"{units.show(row.resource, part)} {origin.value}" + (f" ({row.kinds[origin]})" if origin in row.kinds else "")
        for origin, part in row.charges.parts()
    ]
    parts += [f"{units.show(row.resource, row.reserve)} reserve"] if row.reserve else []
    less = f" - {units.show(row.resource, row.pooled)} of pools on demand" if row.pooled else ""
    total, there, over = (units.show(row.resource, n) for n in (row.bar, row.capacity, row.bar - row.capacity))
    return f"{' + '.join(parts)}{less} = {total} > {there}, over by {over}"
