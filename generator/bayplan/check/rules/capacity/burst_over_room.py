"""Pools that may burst to more than their donors can give."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from bayplan.check.bursts import Burst, bursts
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model import units

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.model.quantity import Quantity

RULE = Rule("capacity/burst-over-room", Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each burst that borrows more than the quotas of its donors, of what they have least of."""
    for burst in bursts(survey):
        lacks = [*_lacks(burst)]
        if lacks:
            yield _finding(survey, burst, min(lacks, key=lambda one: (one[0], one[1])))


def _lacks(burst: Burst) -> Iterator[tuple[Fraction, str, Quantity, int]]:
    """Yield the factor that the donors bear, of which resource, the quota of it, and what they have."""
    for half, amounts in burst.pool.quota.items():
        for resource, quota in amounts.items():
            given = [one.quota.get(half, {}).get(resource) for one in burst.donors]
            there = sum(one.amount for one in given if one)
            if quota.amount and all(given) and (burst.factor - 1) * quota.amount > there:
                yield 1 + Fraction(there, quota.amount), resource, quota, there


def _finding(survey: Survey, burst: Burst, lack: tuple[Fraction, str, Quantity, int]) -> Finding:
    fits, resource, quota, there = lack
    more = int((burst.factor - 1) * quota.amount)
    shown = f"({float(burst.factor):g} - 1) x {units.show(resource, quota.amount)} = {units.show(resource, more)}"
    borne = float(int(fits * 100)) / 100
    path = ("pools", burst.pool.name, "burst", "factor")
    return RULE.finding(
        burst.node.here if not burst.said else burst.node.place,
        f"pools.{burst.pool.name}",
        f"borrows more {resource} in a burst than its donors have",
        arithmetic=f"{shown} > {units.show(resource, there)} of {', '.join(one.name for one in burst.donors)}",
        write=f"{borne:g}" if burst.said else "",
        paste="" if burst.said else survey.paste(path, borne),
        also=(quota.place, burst.lent.here),
    )
