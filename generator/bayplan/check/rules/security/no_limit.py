"""Services that may take all the memory of their machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.analyse.charge import charge
from bayplan.check.compose_lines import by_project, listed
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model import units
from bayplan.model.quantity import MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("security/no-limit", Severity.NOTE)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield one finding for each project with services that are counted, but that nothing limits."""
    free = [
        (service, service.place)
        for service in survey.services
        if MEMORY not in service.limits and charge(survey.fleet, service, MEMORY) is not None
    ]
    for some in by_project(free).values():
        first, place = some[0]
        amount = charge(survey.fleet, first, MEMORY)
        counted = amount.amount if amount else 0
        count = f", as {len(some) - 1} more of its project" if len(some) > 1 else ""
        yield RULE.finding(
            place,
            first.name,
            f"is counted with {units.show(MEMORY, counted)} of memory, but nothing limits it{count}",
            arithmetic=listed(some),
            paste=survey.paste_amount(survey.path_of(first, "limits"), MEMORY, counted, at_most=False)
            if len(some) == 1
            else "",
            remedy="give it a limit: one that leaks ends with its neighbours" if len(some) > 1 else "",
            also=tuple(at for _, at in some[1:]),
        )
