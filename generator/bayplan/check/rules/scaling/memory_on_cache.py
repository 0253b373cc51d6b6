"""Caches that are scaled by memory, which they keep full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.caches import is_cache
from bayplan.check.rule import Rule
from bayplan.check.triggers import triggers
from bayplan.finding import Severity
from bayplan.model import units
from bayplan.model.quantity import MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("scaling/memory-on-cache", Severity.WARNING)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each cache with a trigger in memory."""
    for service in survey.services:
        if not is_cache(service):
            continue
        for trigger in triggers(service):
            if trigger.resource != MEMORY:
                continue
            base = (service.requests if trigger.of == "request" else service.limits).get(MEMORY)
            shown = (
                f"{float(trigger.share * 100):g} % of {units.show(MEMORY, base.amount)}"
                if base
                else trigger.node.string
            )
            at = f" = {units.show(MEMORY, int(trigger.share * base.amount))}" if base else ""
            yield RULE.finding(
                trigger.node.place,
                service.name,
                "is a cache that is scaled by memory: it keeps its memory full, and so stays at its maximum",
                arithmetic=f"{shown}{at}, which it fills and keeps",
                paste=survey.paste(survey.path_of(service, "scale", "on", MEMORY), None),
                remedy="scale it by CPU or by misses, if at all",
            )
