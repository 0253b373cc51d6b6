"""Nodes that services may fill to the last byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model import units
from bayplan.model.quantity import MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("capacity/no-reserve", Severity.WARNING)
_SHARE = 20
"""Of the memory, one part in so many is proposed as a reserve."""


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each line of the policy that leaves the system itself no memory."""
    told = set()
    for name, node in survey.fleet.nodes.items():
        memory = node.capacity.get(MEMORY)
        if memory is None or not memory.amount or node.reserved(MEMORY) or node.line(MEMORY) < memory.amount:
            continue
        share, reserve = node.ceilings.get(MEMORY), node.reserve.get(MEMORY)
        place = share.place if share else memory.place
        if place in told:
            continue
        told.add(place)
        kept = memory.amount // _SHARE
        yield RULE.finding(
            place,
            name,
            "may be filled to its last byte: nothing is reserved, and the ceiling is all there is",
            arithmetic=f"0 reserved, all {units.show(MEMORY, memory.amount)} for services",
            paste=survey.paste_amount(survey.node_path(name, "reserve"), MEMORY, kept, at_most=False),
            also=(reserve.place,) if reserve else (),
        )
