"""Bands that end before they begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.alerts import band_of, shown
from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("thresholds/band-reversed", Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each band whose ends have changed places."""
    section = survey.at("bands")
    for key, node in section.items() if section else ():
        band = band_of(survey, key)
        if band is not None and band[0] > band[1]:
            low, high = (f"{float(end):g}%" for end in (band[1], band[0]))
            message = f"ends at {shown(band[1])}, before it begins at {shown(band[0])}"
            sums = f"{shown(band[0])} > {shown(band[1])}"
            yield RULE.finding(node.place, f"bands.{key}", message, arithmetic=sums, write=f"{low}..{high}")
