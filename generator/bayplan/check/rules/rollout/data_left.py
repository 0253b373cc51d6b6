"""Services that move away from their data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.check.rules.rollout.no_gate import moving
from bayplan.finding import Severity
from bayplan.model.names import Name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("rollout/data-left", Severity.WARNING)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each volume of one writer that starts empty where its service moves, without a reason."""
    told: set[Name] = set()
    for service in moving(survey):
        for key in service.volume_keys:
            volume = survey.fleet.volumes.get(Name(service.name.project, key))
            if volume is None or volume.on_move != "own" or volume.access != "single" or volume.why:
                continue
            said = survey.at("volumes", survey.volume_key(volume), "on_move")
            if volume.name in told:
                continue
            told.add(volume.name)
            yield RULE.finding(
                said.place if said is not None else volume.place,
                volume.name,
                f"stays behind when {service.name} moves, which then starts empty; nobody says why",
                write="carry" if said is not None else "",
                remedy="carry it, or say why: it may stay",
            )
