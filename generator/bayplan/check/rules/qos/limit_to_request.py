"""Limits far above what is requested: whoever takes its limit takes what others were promised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model import units
from bayplan.model.quantity import MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding, Place
    from bayplan.model.service import Service

RULE = Rule("qos/limit-to-request", Severity.NOTE)
MOST = 3
"""How many times its request a memory limit may be before it is worth a word."""
_WHOLE = 100
"""From so many times on nobody asks for decimals."""


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a note for each memory limit that is more than three times its request, where memory is overcommitted.

    A limit above any machine is told by `capacity/limit-over-node`.
    """
    alike: dict[tuple[Place, Place], list[Service]] = {}
    largest = max((node.has(MEMORY) for node in survey.fleet.nodes.values()), default=0)
    for service in survey.services:
        request, limit = service.requests.get(MEMORY), service.limits.get(MEMORY)
        if request and limit and request.amount and MOST * request.amount < limit.amount <= largest:
            alike.setdefault((limit.place, request.place), []).append(service)
    for (place, also), some in alike.items():
        first, *others = some
        request, limit = first.requests[MEMORY], first.limits[MEMORY]
        times = limit.amount / request.amount
        ratio = f"{times:.0f}" if times >= _WHOLE else f"{times:.3g}"
        more = f", as may {len(others)} more" if others else ""
        yield RULE.finding(
            place,
            first.name,
            f"may take {ratio} times the memory that it requests{more}: first in line when the node has none left",
            arithmetic=f"{units.show(MEMORY, limit.amount)} / {units.show(MEMORY, request.amount)} = {ratio} > {MOST}",
            paste="" if others else _larger(survey, first),
            remedy="request what they take at their peaks" if others else "",
            also=(also,),
        )


def _larger(survey: Survey, service: Service) -> str:
    third = -(-service.limits[MEMORY].amount // MOST)
    return survey.paste_amount(survey.path_of(service, "requests"), MEMORY, third, at_most=False)
