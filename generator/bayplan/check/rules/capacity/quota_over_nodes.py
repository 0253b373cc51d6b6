"""A quota of limits that leaves nothing of the nodes to anybody else, or reaches into what is reserved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.promises import promises
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model import units

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.promises import Promise
    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("capacity/quota-over-nodes", Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each resource of which the quotas of limits are together more than there is room for.

    Of quotas that hold for each node, what no node has is told.
    """
    for promise in promises(survey, "limits"):
        over = {name for name, quota in promise.quotas.items() if quota.amount > promise.room}
        yield from (_alone(survey, promise, name) for name in sorted(over))
        if not over and promise.total > promise.room:
            yield _together(survey, promise)


def _alone(survey: Survey, promise: Promise, name: str) -> Finding:
    resource, quota = promise.resource, promise.quotas[name]
    amount, room = units.show(resource, quota.amount), units.show(resource, promise.room)
    pool = survey.fleet.pools[name]
    asked = pool.quota.get("requests", {}).get(resource) if pool.scaling == "fixed" else None
    most = min(promise.room, asked.amount) if asked else promise.room  # a fixed pool does not grow
    return RULE.finding(
        quota.place,
        f"pools.{name}",
        f"may take {amount} of {resource}{' on each node' if promise.per_node else ''}, "
        f"more than {promise.where} room for",
        arithmetic=f"{amount} > {room}",
        paste=survey.paste_amount(("pools", name, "quota", "limits"), resource, most) if most else "",
        remedy="" if most else "take it away, or add a node",
    )


def _together(survey: Survey, promise: Promise) -> Finding:
    resource, quotas = promise.resource, promise.quotas
    last = max(quotas, key=lambda name: (quotas[name].amount, name))
    sums = " + ".join(units.show(resource, quota.amount) for quota in quotas.values())
    left = promise.room - promise.total + quotas[last].amount
    return RULE.finding(
        quotas[last].place,
        f"pools.{last}",
        f"is the largest of pools that may take more {resource} together than {promise.where} room for",
        arithmetic=f"{sums} = {units.show(resource, promise.total)} > {units.show(resource, promise.room)}",
        paste=survey.paste_amount(("pools", last, "quota", "limits"), resource, left) if left > 0 else "",
        remedy="" if left > 0 else "let each take less",
        also=tuple(quota.place for name, quota in quotas.items() if name != last),
    )
