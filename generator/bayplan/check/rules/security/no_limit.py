"""Services that may take all the memory of their machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.analyse.charge import charge
from bayplan.check.compose_lines import by_project, line, listed
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model import units
from bayplan.model.quantity import MEMORY, Origin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding, Place
    from bayplan.model.service import Service

RULE = Rule("security/no-limit", Severity.NOTE)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield one finding for each project with services that nothing limits, whether they are counted or not."""
    free = [(service, _place(survey, service)) for service in survey.services if MEMORY not in service.limits]
    for some in by_project(free).values():
        first, place = some[0]
        amount = charge(survey.fleet, first, MEMORY)
        counted = f"is counted with {units.show(MEMORY, amount.amount)} of memory" if amount else "asks for no memory"
        count = f", as {len(some) - 1} more of its project" if len(some) > 1 else ""
        yield RULE.finding(
            place,
            first.name,
            f"{counted}, {'but' if amount else 'and'} nothing limits it{count}",
            arithmetic=listed(some),
            paste=_limits(survey, some),
            remedy="a limit above its peaks: one that leaks ends with its neighbours",
            also=tuple(at for _, at in some[1:]),
        )


def _place(survey: Survey, service: Service) -> Place:
    """Return the line that should change: what takes a limit back, or says that there is none, or the service."""
    back = survey.settings_of(service, "limits", MEMORY) or survey.settings_of(service, "limits")
    said = back or line(service, "deploy", "resources", "limits", MEMORY)
    return said.place if said is not None else service.place


def _limits(survey: Survey, some: list[tuple[Service, Place]]) -> str:
    """Return limits as large as what was asked for; empty where that was only guessed: it would end what runs."""
    asked = [(service, service.requests.get(MEMORY)) for service, _ in some]
    if any(amount is None or amount.origin is Origin.ESTIMATED for _, amount in asked):
        return ""
    return survey.paste_amounts(
        {survey.path_of(service, "limits"): amount.amount for service, amount in asked if amount},
        MEMORY,
        at_most=False,
    )
