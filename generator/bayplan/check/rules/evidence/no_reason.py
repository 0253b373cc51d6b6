"""Cuts and forced moves without a reason: nobody will know later whether they may be taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.finding import NOWHERE, Severity
from bayplan.model import units
from bayplan.policy.quantities import said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding, Place
    from bayplan.model.service import Service

RULE = Rule("evidence/no-reason", Severity.NOTE, strict=Severity.ERROR)
_NAMED = 3


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a note for each line that cuts limits or forces a move and has no `why`."""
    found: dict[tuple[Place, str], list[str]] = {}
    for service in survey.services:
        cuts = [one for one in _cuts(service) if one[0] != NOWHERE]
        for lines in (cuts, list(_move(survey, service))):
            if lines:
                what = ", ".join(words for _, words in lines)
                found.setdefault((min(place for place, _ in lines), what), []).append(str(service.name))
    for (place, what), names in sorted(found.items()):
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        verb = "is" if len(names) == 1 else "are"
        yield RULE.finding(
            place,
            ", ".join(names[:_NAMED]) + more,
            f"{verb} changed without a reason",
            arithmetic=what,
            remedy="add why: to it; it travels to the plan and into what is compiled",
        )


def _cuts(service: Service) -> Iterator[tuple[Place, str]]:
    """Yield the limits that are below what the Compose file has."""
    for resource, limit in service.limits.items():
        now = said(limit)
        before = now.was
        if before is not None and now.amount < before.amount and not now.why and "limits" not in service.changed:
            amounts = f"{units.show(resource, before.amount)} to {units.show(resource, now.amount)}"
            yield now.place, f"{resource} {amounts}"


def _move(survey: Survey, service: Service) -> Iterator[tuple[Place, str]]:
    """Yield the node that a service is sent to from all others that it stands on today."""
    rule = service.placement
    if not rule.only or rule.why or "placement" in service.changed:
        return
    today = survey.before.nodes_of.get(service.name, ())
    if today and rule.only not in today:
        yield rule.place, f"moved from {', '.join(today)} to {rule.only}"
