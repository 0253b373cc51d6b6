"""Amounts that a factor takes below the smallest step there is."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model import units
from bayplan.model.quantity import CPUS, MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("environments/rounded", Severity.WARNING)
_LIMIT_OF_CPUS = 10
_FAR = Fraction(11, 10)
"""Rounding up by more than a tenth makes another number of it."""
_TRIED = 1000
"""How many amounts are looked at for one that is hardly rounded."""


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each request and limit that rounding makes more than a tenth larger than the factor asked."""
    for service in survey.services:
        for half, amounts in (("requests", service.requests), ("limits", service.limits)):
            for resource, amount in amounts.items():
                factor = survey.factors.get(resource)
                if factor is None or amount.was is None or not amount.source.startswith("environment "):
                    continue
                exact = factor * amount.was.amount
                if not exact or amount.amount <= _FAR * exact:
                    continue
                before = _before(resource, half, factor, amount.amount)
                place = survey.at("environments", survey.environment, "multiply", resource)
                yield RULE.finding(
                    amount.place,
                    service.name,
                    f"is rounded up to the smallest step of {half}.{resource} in the environment {survey.environment}",
                    arithmetic=f"{float(factor):g} x {_exact(resource, amount.was.amount)} = "
                    f"{_exact(resource, exact)}, rounded up to {_exact(resource, amount.amount)}",
                    paste=survey.paste_before(survey.path_of(service, half), resource, before),
                    remedy="say in the environment what it is to be",
                    also=() if place is None else (place.place,),
                )


def _before(resource: str, half: str, factor: Fraction, amount: int) -> int:
    """Return what to write so that the factor makes about an amount of it without rounding it far."""
    step, written = _step(resource, half), {CPUS: _LIMIT_OF_CPUS}.get(resource, _step(resource, half))
    least = max(1, int(amount / factor) // written) * written
    some = (least + number * written for number in range(_TRIED))
    return next((one for one in some if -(-factor * one // step) * step <= _FAR * factor * one), least + written)


def _step(resource: str, half: str) -> int:
    return {MEMORY: units.MIB, CPUS: _LIMIT_OF_CPUS if half == "limits" else 1}.get(resource, 1)


def _exact(resource: str, amount: Fraction | int) -> str:
    if resource == CPUS:
        return f"{float(amount):g}m"
    return f"{float(Fraction(amount) / units.MIB):g} MiB" if resource == MEMORY else f"{float(amount):g}"
