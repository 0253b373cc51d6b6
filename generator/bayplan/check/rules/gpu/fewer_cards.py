"""Cards, slices or shares that are asked for, and are fewer where the service may stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.analyse import cards
from bayplan.analyse.eligible import may_stand
from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding, Place
    from bayplan.model.fleet import Node
    from bayplan.model.service import GpuAsk, Service

RULE = Rule("gpu/fewer-cards", Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service whose copies want more whole cards than they can have, at first or at most.

    What is too much for the whole fleet at most is `capacity/replicas-at-max`, as are slices and shares of cards.
    """
    with_cards = [node for node in survey.fleet.nodes.values() if node.gpus]
    everything = sum(len(node.gpus) for node in with_cards)
    taken = sum(one.gpu.count * one.replicas.count for one in survey.services if one.gpu)
    known: dict[tuple[object, ...], list[Node]] = {}
    for service in survey.services:
        ask = service.gpu
        if ask is None or not ask.count:
            continue
        nodes = _nodes(service, with_cards, known)
        fitting = sum(cards.copies(ask, node) for node in nodes)
        replicas = service.replicas
        others = taken - ask.count * replicas.count
        at_most = replicas.maximum if others + ask.count * replicas.maximum <= everything else replicas.count
        if fitting and max(replicas.count, at_most) > fitting:
            yield _finding(survey, service, ask, fitting, nodes)


def _nodes(service: Service, with_cards: list[Node], known: dict[tuple[object, ...], list[Node]]) -> list[Node]:
    """Return the nodes with cards where a service may stand; all of them if on none, which is another finding."""
    rule = service.placement
    require = tuple(sorted((label, values) for label, values in rule.require.items()))
    key = (rule.node, rule.nodes, require, rule.tolerations, service.platforms)
    if key not in known:
        known[key] = [node for node in with_cards if may_stand(service, node)] or with_cards
    return known[key]


def _finding(survey: Survey, service: Service, ask: GpuAsk, fitting: int, nodes: list[Node]) -> Finding:
    replicas = service.replicas
    at_first = replicas.count > fitting
    copies = replicas.count if at_first else replicas.maximum
    wanted, there = copies * ask.count, sum(cards.whole(ask, node) for node in nodes)
    names = ", ".join(node.name for node in nodes[:8])
    each = " + ".join(f"{cards.copies(ask, node)} ({node.name})" for node in nodes[:8])
    sums = f"{copies} x {ask.count} = {wanted} > {there} ({names})" if wanted > there else f"{copies} copies > {each}"
    most = f"; at most {replicas.maximum} x {ask.count} = {replicas.maximum * ask.count}"
    return RULE.finding(
        _place(survey, service, at_first=at_first),
        service.name,
        f"wants {'' if at_first else 'at most '}{copies} copies of {ask.count} whole card{'s' * (ask.count > 1)} each, "
        f"and where it may stand are cards for {fitting}",
        arithmetic=f"{sums}{most if at_first and replicas.maximum > replicas.count else ''}",
        remedy="or more cards",
        paste=_paste(survey, service, fitting, at_first=at_first),
        also=(ask.place,),
    )


def _place(survey: Survey, service: Service, *, at_first: bool) -> Place:
    node = survey.settings_of(service, "scale", "min" if at_first else "max")
    return node.place if node else service.replicas.place


def _paste(survey: Survey, service: Service, fitting: int, *, at_first: bool) -> str:
    path = survey.path_of(service)
    if not service.replicas.scaled:
        return survey.paste_copies(path, {"replicas": fitting})
    return survey.paste_copies((*path, "scale"), {"min": fitting, "max": fitting} if at_first else {"max": fitting})
