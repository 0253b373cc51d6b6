"""Shares of a card that only the good will of the programs keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model import units

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("enforce/advisory", Severity.NOTE, strict=Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield one finding for all services that share cards by VRAM which nothing limits."""
    sharing = [service for service in survey.services if service.gpu and service.gpu.memory]
    if not sharing:
        return
    first = min(sharing, key=lambda service: service.gpu.place if service.gpu else service.place)
    shares = ", ".join(f"{one.name} {units.show_bytes(one.gpu.memory)}" for one in sharing if one.gpu)
    rests = "its share of a card rests" if len(sharing) == 1 else f"{len(sharing)} shares of cards rest"
    yield RULE.finding(
        first.gpu.place if first.gpu else first.place,
        first.name,
        f"has a share of VRAM that nothing limits: Docker cannot, so {rests} on the programs",
        arithmetic=shares,
        remedy="ask for a MIG slice or a whole card where it matters: gpu: 1g.10gb, gpu: 1",
    )
