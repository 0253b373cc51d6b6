"""Pools that are promised more than they may ever take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.analyse.pools import asks
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model import units

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("capacity/limits-under-requests", Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each quota of limits below the quota of requests of the same pool."""
    for name, pool in sorted(survey.fleet.pools.items()):
        limits, requests = (pool.quota.get(half, {}) for half in ("limits", "requests"))
        for resource in sorted(limits.keys() & requests.keys()):
            limit, request = limits[resource], requests[resource]
            if limit.amount >= request.amount:
                continue
            most, promised = (units.show(resource, one.amount) for one in (limit, request))
            yield RULE.finding(
                limit.place,
                f"pools.{name}",
                f"is promised {promised} of {resource}, and may take {most} only: the promise is never kept",
                arithmetic=f"{promised} > {most}",
                paste=_paste(survey, name, resource, limit.amount, request.amount),
                also=(request.place,),
            )


def _paste(survey: Survey, pool: str, resource: str, limit: int, request: int) -> str:
    """Return a lower promise, or a higher limit where the members ask for more than that."""
    asked, most = (
        sum(asks(survey.fleet, one, half, resource) * one.replicas.maximum for one in survey.pools.get(pool, ()))
        for half in ("requests", "limits")
    )
    path = ("pools", pool, "quota")
    if asked <= limit:
        return survey.paste_amount((*path, "requests"), resource, limit)
    return survey.paste_amount((*path, "limits"), resource, max(request, most), at_most=False)
