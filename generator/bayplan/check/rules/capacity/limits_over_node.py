"""Limits that together are far more than a node has: not everybody can have what is allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model import units
from bayplan.model.quantity import MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.model.names import Name

RULE = Rule("capacity/limits-over-node", Severity.NOTE)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a note for each node on which the memory limits of what runs all the time are more than there is."""
    for name, copies in survey.copies_on.items():
        node = survey.fleet.nodes.get(name)
        if node is None or not node.has(MEMORY):
            continue
        always = {one: number for one, number in copies.items() if not _turns(survey, one)}
        if any(_limit(survey, one) > node.has(MEMORY) for one in always):
            continue  # one that is larger than the node alone is told by itself
        total = sum(_limit(survey, one) * number for one, number in always.items())
        row = survey.after.ledger.row(name, MEMORY)
        if total <= node.has(MEMORY) or row is None or row.charged >= total:
            continue
        yield RULE.finding(
            node.capacity[MEMORY].place,
            name,
            f"may be asked for more memory than it has: the limits of what runs there are "
            f"{units.show_share(total, node.has(MEMORY))} of it",
            arithmetic=f"{_largest(survey, always)}; in all {units.show(MEMORY, total)} > "
            f"{units.show(MEMORY, node.has(MEMORY))}",
            remedy="whoever is over its request goes first when memory is short; lower the limits that are never used",
        )


def _turns(survey: Survey, name: Name) -> bool:
    pool = survey.fleet.pools.get(survey.fleet.services[name].pool)
    return pool is not None and pool.scaling == "on-demand"


def _limit(survey: Survey, name: Name) -> int:
    limit = survey.fleet.services[name].limits.get(MEMORY)
    return limit.amount if limit else 0


def _largest(survey: Survey, copies: Mapping[Name, int]) -> str:
    largest = sorted(copies, key=lambda name: (-_limit(survey, name) * copies[name], name))[:3]
    return (
        " + ".join(f"{units.show(MEMORY, _limit(survey, name) * copies[name])} ({name})" for name in largest) + " + …"
    )
