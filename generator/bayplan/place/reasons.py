"""Why a copy does not stand where it stood: the reason that travels into the generated comment and the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.place.why import why_not

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.model.fleet import Fleet
    from bayplan.model.names import Instance
    from bayplan.model.placement import Placement
    from bayplan.model.service import PlacementRule


def reasons_of(fleet: Fleet, placement: Placement) -> Mapping[Instance, str]:
    """Return the reason of every seat that differs from today's."""
    found = {}
    for one, seat in sorted(placement.seats.items()):
        stood = fleet.standing.get(one, "")
        if seat.node != stood:
            found[one] = _reason(fleet, placement, one, stood)
    return found


def _reason(fleet: Fleet, placement: Placement, one: Instance, stood: str) -> str:
    rule = fleet.services[one.service].placement
    if not stood:
        return "new" if not rule.node else _fixed(rule)
    if rule.node:
        return _fixed(rule)
    if stood not in fleet.nodes:
        return f"{stood} is no node of this environment"
    against = why_not(fleet, placement, one, stood)
    return f"not on {stood}: {against[0]}" if against else f"the whole only fits without it on {stood}"


def _fixed(rule: PlacementRule) -> str:
    return f"placement: {rule.node}" + (f" ({rule.why})" if rule.why else "")
