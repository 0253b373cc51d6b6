"""Services that ask for a share, whole cards and a slice at once: only one of them counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayplan.analyse.cards import slice_size
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model.units import GIB

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding, Place
    from bayplan.model.service import GpuAsk

RULE = Rule("gpu/two-sizes", Severity.ERROR)
_SIZES = ("memory", "count", "profile")


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service that says more than one size of what it asks of cards, once for a line."""
    told: set[Place] = set()
    for service in survey.services:
        said = {
            key: node for key in _SIZES if (node := survey.settings_of(service, "gpu", key)) and node.value is not None
        }
        if service.gpu is None or len(said) < len(("one", "another")):
            continue
        first, *others = sorted(said.values(), key=lambda node: node.place)
        if others[-1].place in told:
            continue
        told.add(others[-1].place)
        yield RULE.finding(
            others[-1].place,
            service.name,
            f"asks for {' and '.join(f'{key} {node.string}' for key, node in said.items())} of cards: a share, "
            "whole cards and a slice are three things",
            arithmetic=f"{len(said)} sizes > 1",
            paste=survey.paste(survey.path_of(service, "gpu"), _one(service.gpu, said)),
            also=(first.place,),
        )


def _one(ask: GpuAsk, said: dict[str, Any]) -> dict[str, Any]:
    """Return what makes one of several sizes: whole cards with so much VRAM, a slice that has it, or the share."""
    if "count" in said:
        taken = {key: None for key in said if key != "count"}
        return {**taken, "require": {"memory": f">={said['memory'].string}"}} if "memory" in said else taken
    return {"memory": None} if slice_size(ask.profile) * GIB >= ask.memory else {"profile": None}
