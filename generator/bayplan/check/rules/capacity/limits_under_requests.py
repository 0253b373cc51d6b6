"""Pools that are promised more than they may ever take."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
                paste=survey.paste_amount(("pools", name, "quota", "requests"), resource, limit.amount),
                also=(request.place,),
            )
