"""Pools that may burst to more than their donors and the nodes can give."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model import units
from bayplan.model.quantity import CPUS, MEMORY
from bayplan.policy.values import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.source import Node

RULE = Rule("capacity/burst-over-room", Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each burst that borrows more than the quotas of its donors."""
    for name, pool in sorted(survey.fleet.pools.items()):
        burst = survey.at("pools", name, "burst")
        factor = burst.get("factor") if burst is not None else None
        if burst is None or factor is None or not words(burst.get("donors")):
            continue
        donors = [
            survey.fleet.pools[one] for one in words(burst.get("donors")) if one in survey.fleet.pools and one != name
        ]
        for resource in (CPUS, MEMORY):
            quota = pool.quota.get("requests", {}).get(resource)
            given = [one.quota.get("requests", {}).get(resource) for one in donors]
            if quota is None or not given or any(one is None for one in given):
                continue
            more = int((_number(factor) - 1) * quota.amount)
            there = sum(one.amount for one in given if one)
            if more <= there or not quota.amount:
                continue
            shown = f"({factor.string} - 1) x {units.show(resource, quota.amount)} = {units.show(resource, more)}"
            fits = 1 + Fraction(there, quota.amount)
            yield RULE.finding(
                factor.place,
                f"pools.{name}",
                f"borrows more {resource} in a burst than its donors have",
                arithmetic=f"{shown} > {units.show(resource, there)} of {', '.join(one.name for one in donors)}",
                write=f"{float(int(fits * 100)) / 100:g}",
            )
            break


def _number(node: Node) -> Fraction:
    try:
        return Fraction(node.string)
    except ValueError:
        return Fraction(1)
