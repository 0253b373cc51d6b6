"""Moves after which there is no way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model import units

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.source import Node

RULE = Rule("rollout/no-undo", Severity.WARNING)
_CONFIRM_WITHIN = 240_000
"""Milliseconds after which a node takes a risky step back, where nobody says otherwise."""


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding where the old copy of moved data goes at once, or before a move is confirmed."""
    kept = survey.at("rollout", "keep_source")
    said = survey.at("rollout", "confirm_within")
    keep, confirm = _milliseconds(kept), _milliseconds(said)
    confirm = _CONFIRM_WITHIN if confirm is None else confirm
    if kept is None or keep is None or keep >= max(1, confirm):
        return
    yield RULE.finding(
        kept.place,
        "rollout",
        "throws the old copy of moved data away at once: what turns out wrong a day later is lost"
        if keep == 0
        else f"throws the old copy of moved data away after {kept.string}, before the move has to be confirmed",
        arithmetic=f"keep_source {kept.string}" + (f" < confirm_within {confirm // 1000}s" if keep else ""),
        write="7d",
        also=(said.place,) if said is not None and keep else (),
    )


def _milliseconds(said: Node | None) -> int | None:
    try:
        return units.milliseconds(said.string) if said is not None and said.value is not None else None
    except units.UnitError:
        return None  # the schema has named what is no time
