"""Forecasts of nothing: a series or a forecast of a name that nobody defines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.paste import flow
from bayplan.check.rule import Rule
from bayplan.check.triggers import triggers
from bayplan.finding import Severity
from bayplan.model.quantity import CPUS, GPU_MEMORY, MEMORY, PIDS, SWAP
from bayplan.policy.values import word

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bayplan.check.survey import Survey
    from bayplan.check.triggers import Trigger
    from bayplan.finding import Finding, Place
    from bayplan.model.service import Service
    from bayplan.source import Node

RULE = Rule("thresholds/no-series", Severity.ERROR)
_MEASURED = frozenset({CPUS, MEMORY, GPU_MEMORY, SWAP, PIDS, "gpu", "disk"})
"""What is measured of every service, whoever asks."""


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
    watched = survey.at("alerts")
    countable = {resource for node in survey.fleet.nodes.values() for resource in node.capacity}
    measured = {*known, *_MEASURED, *countable, *(name for name, _ in (watched.items() if watched else ()))}
    for service in survey.services:
        node = service.settings.get(("scale", "forecast"))
        if node is not None and node.value is not None and word(node) not in ahead and node.place not in said:
            said.add(node.place)
            yield _told(str(service.name), "forecast", node, ahead)
        for trigger in triggers(service):
            if trigger.resource not in measured and trigger.node.place not in said:
                said.add(trigger.node.place)
                yield _unmeasured(survey, service, trigger, [*known, *_MEASURED])


def _unmeasured(survey: Survey, service: Service, trigger: Trigger, known: list[str]) -> Finding:
    import difflib  # noqa: PLC0415 - needed for a mistake only, and slow to import

    near = difflib.get_close_matches(trigger.resource, known, 1)
    target = {trigger.resource: None, near[0]: trigger.node.value} if near else {}
    return RULE.finding(
        trigger.node.here,
        service.name,
        f"is scaled by '{trigger.resource}', which is no resource, and no metric that anybody defines",
        arithmetic=f"there is {', '.join(sorted(known))}",
        paste=survey.paste(survey.path_of(service, "scale", "on"), target) if near else "",
        remedy="" if near else f"define it: metrics: {{{trigger.resource}: {{query: ...}}}}",
    )


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
