"""Forecasts of nothing: a series or a forecast of a name that nobody defines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.paste import flow
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.policy.values import word

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding, Place
    from bayplan.source import Node

RULE = Rule("thresholds/no-series", Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each forecast of an unknown metric, and each scaler that follows an unknown forecast."""
    metrics, forecasts = survey.at("metrics"), survey.at("forecasts")
    known = [name for name, _ in metrics.items()] if metrics else []
    for name, forecast in sorted(forecasts.items() if forecasts else ()):
        series = forecast.get("series")
        if series is not None and word(series) not in known:
            yield _told(f"forecasts.{name}", "metric", series, known)
    ahead = [name for name, _ in forecasts.items()] if forecasts else []
    said: set[Place] = set()
    for service in survey.services:
        node = service.settings.get(("scale", "forecast"))
        if node is not None and node.value is not None and word(node) not in ahead and node.place not in said:
            said.add(node.place)
            yield _told(str(service.name), "forecast", node, ahead)


def _told(subject: str, what: str, node: Node, known: Iterable[str]) -> Finding:
    import difflib  # noqa: PLC0415 - needed for a mistake only, and slow to import

    names = sorted(known)
    near = names if len(names) == 1 else difflib.get_close_matches(node.string, names, 1)
    remedy = "" if near else f"define it: {what}s: {{{node.string}: ...}}"
    return RULE.finding(
        node.place,
        subject,
        f"follows the {what} '{node.string}', which nobody defines",
        arithmetic=f"there is {', '.join(names) or 'none'}",
        write=flow(near[0]) if near else "",
        remedy=remedy,
    )
