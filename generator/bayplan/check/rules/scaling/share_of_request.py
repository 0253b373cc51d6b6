"""Triggers that are a share of a small request: whoever works at all is over them."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.check.triggers import triggers
from bayplan.finding import Severity
from bayplan.model import units
from bayplan.model.quantity import CPUS, MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("scaling/share-of-request", Severity.WARNING)
LOW = Fraction(1, 4)
"""A trigger below this share of the limit is met by every copy that does its work."""


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each trigger in shares of the request that is less than a quarter of the limit."""
    for service in survey.services:
        for trigger in triggers(service):
            request, limit = service.requests.get(trigger.resource), service.limits.get(trigger.resource)
            if trigger.of != "request" or trigger.resource not in (CPUS, MEMORY) or not (request and limit):
                continue
            at = int(trigger.share * request.amount)
            if not limit.amount or Fraction(at, limit.amount) >= LOW:
                continue
            share, of_limit = f"{float(trigger.share * 100):g} %", units.show_share(at, limit.amount)
            yield RULE.finding(
                trigger.node.place,
                service.name,
                f"is scaled at {share} of its request, which is {of_limit} of its limit: it stays at its maximum",
                arithmetic=f"{share} of {units.show(trigger.resource, request.amount)} = "
                f"{units.show(trigger.resource, at)} = {of_limit} of {units.show(trigger.resource, limit.amount)}",
                write=f"{float(trigger.share * 100):g}% of limit",
            )
