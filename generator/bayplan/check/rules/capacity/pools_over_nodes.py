"""Pools that promise more together than the nodes have to give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.analyse.charge import charge
from bayplan.check.promises import fitting, promises
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model import units

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.promises import Promise
    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("capacity/pools-over-nodes", Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each resource of which all pools together are promised more than there is room for.

    Of quotas that hold for each node, what no node has is told.
    """
    for promise in promises(survey, "requests"):
        if promise.total > promise.room:
            yield _finding(survey, promise)


def _finding(survey: Survey, promise: Promise) -> Finding:
    resource, quotas = promise.resource, promise.quotas
    largest = max(quotas, key=lambda name: (quotas[name].amount, name))
    smaller = (
        fitting(survey, promise, promise.room - _outside(survey, promise))
        or fitting(survey, promise, promise.room)
        or _left(promise, largest)
    )
    sums = " + ".join(units.show(resource, amount.amount) for amount in quotas.values())
    total, room = units.show(resource, promise.total), units.show(resource, promise.room)
    each = " on each node" if promise.per_node else ""
    amounts: dict[tuple[str, ...], int] = {
        ("pools", name, "quota", "requests"): amount for name, amount in smaller.items()
    }
    return RULE.finding(
        quotas[largest].place,
        f"pools.{largest}",
        f"is promised more {resource} than is left: all pools together have {total}{each}, "
        f"{promise.where} room for {room}",
        arithmetic=f"{sums} = {total} > {room}" if len(quotas) > 1 else f"{total} > {room}",
        paste=survey.paste_amounts(amounts, resource) if amounts else "",
        remedy="" if amounts else "take pools away, or add a node",
        also=tuple(amount.place for name, amount in quotas.items() if name != largest),
    )


def _left(promise: Promise, largest: str) -> dict[str, int]:
    """Return what is left for the largest pool, whatever its members need: they are told by their quota."""
    left = promise.room - promise.total + promise.quotas[largest].amount
    return {largest: left} if left > 0 else {}


def _outside(survey: Survey, promise: Promise) -> int:
    """Return what services of no pool are charged together, where quotas hold for the fleet."""
    outside = () if promise.per_node else survey.pools.get("", ())
    amounts = ((one, charge(survey.fleet, one, promise.resource)) for one in outside)
    return sum(amount.amount * one.replicas.count for one, amount in amounts if amount)
