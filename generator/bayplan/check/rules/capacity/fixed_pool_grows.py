"""A pool that is called fixed, and may take more memory than it is promised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model import units
from bayplan.model.quantity import MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("capacity/fixed-pool-grows", Severity.WARNING)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each fixed pool whose quota of limits is above its quota of requests of memory."""
    room = sum(node.room(MEMORY) for node in survey.fleet.nodes.values())
    for name, pool in sorted(survey.fleet.pools.items()):
        asked, allowed = (pool.quota.get(half, {}).get(MEMORY) for half in ("requests", "limits"))
        if pool.scaling != "fixed" or asked is None or allowed is None or allowed.amount <= asked.amount:
            continue
        if allowed.amount > room:
            continue  # more than the nodes have is `capacity/quota-over-nodes`
        shown = f"{units.show(MEMORY, allowed.amount)} > {units.show(MEMORY, asked.amount)}"
        yield RULE.finding(
            allowed.place,
            f"pools.{name}",
            "is fixed, but may take more memory than it is promised: nobody counts the difference",
            arithmetic=shown,
            paste=survey.paste_amount(("pools", name, "quota", "limits"), MEMORY, asked.amount),
            also=(asked.place,),
        )
