"""Bursts without a longest time: what was lent for a while is gone for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("thresholds/burst-without-end", Severity.WARNING)
_USUAL = "15m"


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each burst whose longest time is taken back."""
    pools = survey.at("pools")
    for name, pool in sorted(pools.items() if pools else ()):
        burst = pool.get("burst")
        longest = burst.get("max") if burst is not None else None
        if longest is not None and longest.value is None:
            yield RULE.finding(
                longest.here,
                f"pools.{name}.burst",
                "has no longest time: it lasts as long as there is load",
                arithmetic=f"max: null; {_USUAL} where nothing is said",
                paste=survey.paste(("pools", name, "burst", "max"), _USUAL),
            )
