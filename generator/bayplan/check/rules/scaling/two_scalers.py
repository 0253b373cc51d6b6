"""Things that scale one service and do not agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.check.triggers import of_limit, shown, trigger, triggers
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.check.triggers import Trigger
    from bayplan.finding import Finding
    from bayplan.model.service import Service
    from bayplan.source import Node

RULE = Rule("scaling/two-scalers", Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each line of a `scale:` that says the opposite of another one."""
    for service in survey.services:
        if service.replicas.scaled:
            yield from _down(survey, service)
            yield from _start(survey, service)
            yield from _schedule(survey, service)
            yield from _twice(survey, service)


def _down(survey: Survey, service: Service) -> Iterator[Finding]:
    """Copies go below `down` and come above a trigger: where both overlap, they come and go for ever."""
    down = survey.settings_of(service, "scale", "down")
    pairs = [(up, trigger(up.resource, down)) for up in triggers(service)] if down is not None else []
    over = [(up, low) for up, low in pairs if low is not None and _overlap(service, up, low)]
    if down is None or not over:
        return
    up, low = min(over, key=lambda pair: pair[0].share)
    yield RULE.finding(
        down.place,
        service.name,
        f"takes copies away below {down.string} and adds them above {_said(up)} of {up.resource}: both at once",
        arithmetic=f"down {down.string}{_also(service, low)} >= up {_said(up)}{_also(service, up)}",
        write=_half(service, up, low),
        also=(up.node.place,),
    )


def _overlap(service: Service, up: Trigger, low: Trigger) -> bool:
    """Whether copies go at what they also come at; shares of different things are compared as shares of the limit."""
    if bool(up.of) is not bool(low.of):
        return False
    if up.of == low.of or "replicas" in (up.of, low.of):
        return low.share >= up.share
    below, above = of_limit(service, low), of_limit(service, up)
    return below is not None and above is not None and below >= above


def _said(one: Trigger) -> str:
    base = f" of {one.of}" if one.of not in ("", "limit") else ""
    return f"{float(one.share * 100):g}%{base}" if one.of else one.node.string


def _also(service: Service, one: Trigger) -> str:
    share = of_limit(service, one) if one.of == "request" else None
    return f" = {shown(share)} of limit" if share is not None else ""


def _half(service: Service, up: Trigger, low: Trigger) -> str:
    """Return a `down` at half of where copies come, said as it is said now."""
    if not up.of:
        return f"{float(up.share / 2):g}"
    below, above = of_limit(service, low), of_limit(service, up)
    share = up.share / 2
    if up.of != low.of and below and above is not None:
        share = low.share * above / below / 2
    base = low.node.string.partition("%")[2].rstrip()
    return f"{float(int(share * 1000)) / 10:g}%{base}"


def _start(survey: Survey, service: Service) -> Iterator[Finding]:
    """`replicas` is the number to start with, and nothing goes below the minimum."""
    first, least = survey.settings_of(service, "replicas"), survey.settings_of(service, "scale", "min")
    if first is None or least is None:
        return
    start, low = first.value, least.value
    if isinstance(start, int) and isinstance(low, int) and start < low:
        yield RULE.finding(
            first.place,
            service.name,
            f"is to start with {start} cop{'y' if start == 1 else 'ies'}, and its scale never has fewer than {low}",
            arithmetic=f"{start} < {low}",
            paste=survey.paste(survey.path_of(service, "replicas"), low),
            also=(least.place,),
        )


def _lines(survey: Survey, service: Service) -> Iterator[tuple[str, Node, int]]:
    """Yield when by the clock, where its number of copies stands, and that number."""
    for line in survey.settings_of(service, "scale", "schedule") or ():
        when, copies = line.get("at"), line.get("replicas")
        if when is not None and copies is not None and isinstance(copies.value, int):
            yield " ".join(when.string.split()), copies, copies.value


def _schedule(survey: Survey, service: Service) -> Iterator[Finding]:
    bounds = [survey.settings_of(service, "scale", key) for key in ("max", "min")]
    bounded = next((one for one in bounds if one is not None), None)
    if bounded is None:
        return
    replicas = service.replicas
    # An environment multiplies the bounds, and not the clock: as they are written they are compared.
    said = [one.value if one is not None and isinstance(one.value, int) else None for one in bounds]
    high = replicas.maximum if said[0] is None else max(said[0], said[1] or 0)
    low = replicas.minimum if said[1] is None else said[1]
    for _, copies, wanted in _lines(survey, service):
        if low <= wanted <= high:
            continue
        yield RULE.finding(
            copies.place,
            service.name,
            f"is to have {wanted} copies by the clock, outside of the {low} to {high} that its scale allows",
            arithmetic=f"{wanted} < {low}" if wanted < low else f"{wanted} > {high}",
            write=str(low if wanted < low else high),
            also=(bounded.place,),
        )


def _twice(survey: Survey, service: Service) -> Iterator[Finding]:
    """Two lines of one clock at the same time."""
    known: dict[str, tuple[Node, int]] = {}
    for when, copies, wanted in _lines(survey, service):
        first, many = known.setdefault(when, (copies, wanted))
        if many != wanted:
            yield RULE.finding(
                copies.place,
                service.name,
                f"is to have {wanted} copies at '{when}', and {many} at the same time",
                arithmetic=f"{wanted} against {many}",
                write=str(many),
                also=(first.place,),
            )
