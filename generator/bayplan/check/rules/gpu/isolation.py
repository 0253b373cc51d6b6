"""A share of a card that MIG is to hold: no share stands on a card that is cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.analyse.cards import slice_size
from bayplan.analyse.eligible import may_stand
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model.units import GIB, show_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("gpu/isolation", Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service that asks for so much VRAM, and for MIG to hold it."""
    cut = [node for node in survey.fleet.nodes.values() if any(card.mig for card in node.gpus)]
    for service in survey.services:
        ask = service.gpu
        if ask is None or not ask.memory or ask.isolation != "mig":
            continue
        there = [node for node in cut if may_stand(service, node)]
        offered = sorted({one for node in there for card in node.gpus for one in card.mig}, key=slice_size)
        node = survey.settings_of(service, "gpu", "isolation")
        fitting = next((one for one in offered if slice_size(one) * GIB >= ask.memory), "")
        path = survey.path_of(service, "gpu")
        yield RULE.finding(
            node.place if node else ask.place,
            service.name,
            f"asks for {show_bytes(ask.memory)} of a card, held by MIG: a card that is cut gives slices, and no shares",
            arithmetic=f"{show_bytes(ask.memory)} fits {fitting}"
            if fitting
            else "no slice as large where it may stand",
            remedy="" if fitting else "or cut a card into slices, and ask for one",
            paste=survey.paste(path, fitting) if fitting else survey.paste((*path, "isolation"), "mps"),
        )
