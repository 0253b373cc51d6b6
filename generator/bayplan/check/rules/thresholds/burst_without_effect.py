"""Bursts that give nobody more: nothing to multiply, or nobody to borrow from."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model import units
from bayplan.policy.values import word, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.model.quantity import Quantity
    from bayplan.source import Node

RULE = Rule("thresholds/burst-without-effect", Severity.NOTE)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a note for each burst of a pool without a quota or without donors."""
    pools = survey.at("pools")
    for name, pool in sorted(pools.items() if pools else ()):
        burst = pool.get("burst")
        if word(pool.get("scaling")) != "burst" and burst is None:
            continue
        place, subject = (burst or pool).here, f"pools.{name}.burst"
        factor = word(burst.get("factor") if burst is not None else None, "1.2")
        quota = survey.fleet.pools[name].quota if name in survey.fleet.pools else {}
        if not quota:
            message = "takes more of its quota, but the pool has none: its members have no bound to go over"
            remedy = f"pools: {{{name}: {{quota: {{requests: ...}}}}}}"
            yield RULE.finding(place, subject, message, arithmetic=f"{factor} x nothing", remedy=remedy)
        elif not _donors(name, burst, pools):
            place = said.place if burst is not None and (said := burst.get("donors")) is not None else place
            others = [other for other, one in survey.fleet.pools.items() if other != name and one.quota]
            yield RULE.finding(
                place,
                subject,
                "takes more of its quota, but no pool lends it anything",
                arithmetic=_more(quota, Fraction(factor)),
                paste=survey.paste(("pools", name, "burst", "donors"), others[:1]) if others else "",
                remedy="" if others else "name donors: pools that give what is borrowed",
            )


def _more(quota: Mapping[str, Mapping[str, Quantity]], factor: Fraction) -> str:
    """Write out what a burst takes beyond a quota."""
    amounts = [(resource, one.amount) for half in quota.values() for resource, one in half.items()]
    sums = [
        f"{units.show(key, amount)} x {float(factor):g} - {units.show(key, amount)} = "
        f"{units.show(key, int(amount * factor) - amount)}"
        for key, amount in amounts
    ]
    return f"{'; '.join(sums)} from nobody"


def _donors(name: str, burst: Node | None, pools: Node | None) -> list[str]:
    said = words(burst.get("donors")) if burst is not None else ()
    return [one for one in said if one != name and pools is not None and pools.get(one) is not None]
