"""Services that are called one class, and are another one by what they request and are limited to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.check.survey import written
from bayplan.finding import Severity
from bayplan.model import units
from bayplan.model.quantity import CPUS, MEMORY, Origin
from bayplan.policy.quantities import said

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding, Place
    from bayplan.model.quantity import Quantity
    from bayplan.model.service import Service

RULE = Rule("qos/another-class", Severity.WARNING)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service of a stated class that it is plainly not: what is only filled in is not counted.

    Guaranteed with halves that differ is `qos/not-guaranteed`.
    """
    for service in survey.services:
        if service.qos == "guaranteed" and MEMORY not in service.limits and MEMORY not in service.requests:
            yield _unlimited(survey, service)
        elif service.qos in ("besteffort", "burstable"):
            yield from _promised(survey, service)
        if service.qos == "guaranteed":
            yield from _reserved(survey, service)


def _unlimited(survey: Survey, service: Service) -> Finding:
    guess = service.estimates.get(MEMORY)
    return _finding(
        survey,
        service,
        "but nothing says of how much memory",
        "memory: no limit, no request" + (f", {units.show(MEMORY, guess.amount)} estimated" if guess else ""),
        paste=survey.paste_amount(survey.path_of(service, "limits"), MEMORY, guess.amount, at_most=False)
        if guess
        else "",
        remedy="" if guess else "give it a limit of memory",
    )


def _reserved(survey: Survey, service: Service) -> Iterator[Finding]:
    """Yield what a Compose file reserves below its own limits: memory is raised to them, and nobody sees it there."""
    less = {
        resource: (before, said(service.limits[resource]))
        for resource, request in service.requests.items()
        if (before := _before(request)) is not None and resource in service.limits
        if before.source == said(service.limits[resource]).source == "compose"
        if before.amount != said(service.limits[resource]).amount
    }
    if not less:
        return
    (first, limit), *more = less.values()
    wanted = {key: written(key, one.amount, down=False) for key, (_, one) in less.items()}
    amounts = {survey.path_of(service, "requests", key): amount for key, amount in wanted.items()}
    shown = {key: [units.show(key, one.amount) for one in pair] for key, pair in less.items()}
    asked = " and ".join(f"{given} of {key}, of {most}" for key, (given, most) in shown.items())
    yield RULE.finding(
        first.place,
        service.name,
        f"is called guaranteed, but its file reserves {asked}",
        arithmetic=", ".join(f"{given} < {most}" for given, most in shown.values()),
        write="" if more else _in_compose(next(iter(less)), limit),
        paste=survey.paste_each(amounts) if more else "",
        also=(*(one.place for pair in less.values() for one in pair if one != first), _called(survey, service)),
    )


def _before(request: Quantity) -> Quantity | None:
    """Return a request as it was said, before it was raised to the limit."""
    return request.was and said(request.was) if request.source == "qos guaranteed" else said(request)


def _in_compose(resource: str, amount: Quantity) -> str:
    return units.compose_cpus(amount.amount) if resource == CPUS else units.compose_bytes(amount.amount)


def _promised(survey: Survey, service: Service) -> Iterator[Finding]:
    requests, limits = _said(service.requests), _said(service.limits)
    equal = bool(limits) and MEMORY in limits and requests == limits
    if not requests and (not limits or service.qos == "burstable"):
        return
    if service.qos == "burstable" and not equal:
        return
    real = "guaranteed" if equal else "burstable"
    parts = [f"requests.{key} {units.show(key, amount)}" for key, amount in requests.items()]
    parts += [f"limits.{key} {units.show(key, amount)}" for key, amount in limits.items()]
    node = survey.settings_of(service, "qos")
    yield _finding(
        survey,
        service,
        f"but by what it requests and is limited to it is {real}",
        ", ".join(parts),
        write=real if node is not None else "",
        paste="" if node is not None else survey.paste(survey.path_of(service, "qos"), real),
    )


def _said(amounts: Mapping[str, Quantity]) -> dict[str, int]:
    """Return the amounts of CPU and memory that somebody says of this very service."""
    return {key: one.amount for key, one in amounts.items() if key in (CPUS, MEMORY) and one.origin != Origin.INHERITED}


def _called(survey: Survey, service: Service) -> Place:
    """Return where a service is called what it is called: by itself, or by its tier."""
    node, tier = survey.settings_of(service, "qos"), survey.at("tiers", service.tier, "qos")
    return node.place if node is not None else tier.place if tier is not None else service.place


def _finding(survey: Survey, service: Service, but: str, arithmetic: str, **way: str) -> Finding:
    some = (*service.requests.values(), *service.limits.values())
    also = tuple(one.place for one in some if one.origin != Origin.INHERITED)
    message = f"is called {service.qos}, {but}"
    return RULE.finding(
        _called(survey, service),
        service.name,
        message,
        arithmetic=arithmetic,
        also=tuple(dict.fromkeys((service.place, *also))),
        **way,
    )
