"""Bursts and forecasts outside of what has proved itself, without a reason."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model import units
from bayplan.policy.values import word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding, Place
    from bayplan.model.service import Service
    from bayplan.source import Node

RULE = Rule("thresholds/outside-advice", Severity.NOTE)
_FACTOR = Fraction("1.1"), Fraction("1.2")
_EVERY = "10s", "5m"
_FEWEST, _LONG = 5, 100
_LEAST = "10s"
_SEASONAL = re.compile(r"season|cycl|period|holt|arima|fourier|fft|prophet|stl|daily|weekly", re.IGNORECASE)
"""Methods that look for what comes back, and so need a long history."""


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a note for each factor, interval, window and pause outside of the advice that says no reason."""
    for name, pool in _section(survey, "pools"):
        burst = pool.get("burst")
        factor = burst.get("factor") if burst is not None else None
        if burst is not None and factor is not None and isinstance(factor.value, int | float) and not burst.get("why"):
            yield from _factor(f"pools.{name}.burst", factor)
    for name, forecast in _section(survey, "forecasts"):
        if not forecast.get("why"):
            yield from _forecast(f"forecasts.{name}", forecast)
    said: set[Place] = set()
    for service in survey.services:
        node = service.settings.get(("scale", "cooldown"))
        if node is not None and node.value is not None and node.place not in said and not _reason(service):
            said.add(node.place)
            yield from _cooldown(str(service.name), node)


def _reason(service: Service) -> bool:
    """Whether a scale has a reason beside it."""
    return bool(service.changed.get("scale"))


def _cooldown(subject: str, node: Node) -> Iterator[Finding]:
    """Yield what is wrong with a time between two decisions: copies come and go before either shows."""
    if units.milliseconds(word(node)) < units.milliseconds(_LEAST):
        message = f"decides again after {node.string}, before a new copy has taken any load: copies come and go"
        sums = f"{node.string} < {_LEAST}"
        yield RULE.finding(node.place, subject, message, arithmetic=sums, write=_LEAST, remedy="or say why")


def _section(survey: Survey, key: str) -> list[tuple[str, Node]]:
    section = survey.at(key)
    return sorted(section.items() if section else ())


def _factor(subject: str, node: Node) -> Iterator[Finding]:
    least, most = _FACTOR
    number = Fraction(node.text or str(node.value))
    if not least <= number <= most:
        advice = f"{float(least):g} to {float(most):g}"
        yield RULE.finding(
            node.place,
            subject,
            f"multiplies by {node.string}; {advice} is what a quota bears for a while",
            arithmetic=f"{node.string} {'<' if number < least else '>'} {float(least if number < least else most):g}",
            write=f"{float(least if number < least else most):g}",
            remedy="or say why it may be so",
        )


def _forecast(subject: str, forecast: Node) -> Iterator[Finding]:
    every, window = forecast.get("every"), forecast.get("window")
    if every is not None and every.value is not None:
        least, most = _EVERY
        time = units.milliseconds(word(every))
        if not units.milliseconds(least) <= time <= units.milliseconds(most):
            near = least if time < units.milliseconds(least) else most
            message = f"looks every {every.string}; 10s to 30s suit quick changes, 60s to 5m steady ones"
            sums = f"{every.string} {'<' if near == least else '>'} {near}"
            yield RULE.finding(every.place, subject, message, arithmetic=sums, write=near, remedy="or say why")
    if window is not None and isinstance(window.value, int):
        method = word(forecast.get("method"), "auto")
        fewest = _LONG if _SEASONAL.search(method) else _FEWEST
        if window.value < fewest:
            message = f"looks back on {window.string} snapshots; {method} needs {fewest} or more"
            sums = f"{window.string} < {fewest}"
            yield RULE.finding(window.place, subject, message, arithmetic=sums, write=str(fewest), remedy="or say why")
