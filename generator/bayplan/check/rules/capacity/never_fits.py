"""Services that cannot all stand where they may: told by sums alone, where a fleet is too large to be decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.crowds import charges, resources, total
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model import units
from bayplan.model.quantity import CPUS, MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bayplan.check.crowds import Crowd
    from bayplan.check.survey import Survey
    from bayplan.finding import Finding, Place
    from bayplan.model.fleet import Node
    from bayplan.model.names import Name
    from bayplan.model.service import Service

RULE = Rule("capacity/never-fits", Severity.ERROR)
_SHOWN = 8


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for whom no node may have, for each copy that no node can hold, and for nodes asked too much.

    Where it is decided who stands where, or proven that nobody can, that says more.
    """
    if survey.settled or not survey.fleet.nodes:
        return
    each = {resource: charges(survey.fleet, resource) for resource in resources(survey.fleet)}
    full: set[tuple[str, str]] = set()
    for crowd in survey.crowds:
        if not crowd.nodes:
            yield from (_nowhere(survey, service) for service in crowd.services)
            continue
        for resource, amounts in each.items():
            names = {(resource, node.name) for node in crowd.nodes}
            if names & full or any(resource not in node.capacity for node in crowd.nodes):
                continue  # a smaller set of these nodes has been told already
            found = [*_too_large(survey, crowd, resource, amounts)] or [*_too_much(survey, crowd, resource, amounts)]
            yield from found
            full |= names if found else set()


def _nowhere(survey: Survey, service: Service) -> Finding:
    rule = service.placement
    wanted = (
        [rule.node]
        if rule.node
        else [*rule.nodes, *(f"{label}: {'/'.join(some)}" for label, some in rule.require.items())]
    )
    return RULE.finding(
        rule.place,
        service.name,
        f"may stand on none of the {len(survey.fleet.nodes)} nodes",
        arithmetic=f"asked for: {', '.join(wanted) or 'a node without taints, of its processor'}",
        remedy="name a node that is there, give one the label, or tolerate its taints",
    )


def _too_large(survey: Survey, crowd: Crowd, resource: str, each: Mapping[Name, int]) -> Iterator[Finding]:
    largest = max(crowd.nodes, key=lambda node: (node.room(resource), node.name))
    room = largest.room(resource)
    for service in crowd.services:
        if each.get(service.name, 0) > room:
            yield RULE.finding(
                _line(service, resource),
                service.name,
                f"asks for more {resource} than any node has room for, of those on which it may stand",
                arithmetic=f"{_show(resource, each[service.name])} > {_show(resource, room)} ({largest.name})",
                paste=_smaller(survey, [service], resource, room, each[service.name], above=room),
                remedy="or add a larger node",
            )


def _too_much(survey: Survey, crowd: Crowd, resource: str, each: Mapping[Name, int]) -> Iterator[Finding]:
    asked, room = total(survey.fleet, crowd, resource, each), crowd.room(resource)
    if asked <= room:
        return
    by_size = sorted(crowd.services, key=lambda one: (-each.get(one.name, 0) * one.replicas.count, one.name))
    asking = [one for one in by_size if each.get(one.name, 0)]
    most = each[asking[0].name] * asking[0].replicas.count
    alone = most - (asked - room)
    some, of, into = ([asking[0]], alone, most) if 2 * alone >= most else (asking, room, asked)
    fewer = asking[0].replicas.count - -(-(asked - room) // each[asking[0].name])
    others = f"and {len(asking) - 1} more " if len(asking) > 1 else ""
    yield RULE.finding(
        _line(asking[0], resource),
        asking[0].name,
        f"{others}may stand on {_named(survey, crowd.nodes)} only, where too little {resource} is for all copies",
        arithmetic=f"{_sum(asking, resource, each)} = {_show(resource, asked)} > {_show(resource, room)}",
        paste=_smaller(survey, some, resource, of, into) or _fewer(survey, asking[0], fewer),
        remedy="or let some stand elsewhere" if len(crowd.nodes) < len(survey.fleet.nodes) else "or add a node",
        also=tuple(_line(one, resource) for one in asking[1:_SHOWN]),
    )


def _fewer(survey: Survey, service: Service, copies: int) -> str:
    scaled = service.replicas.scaled
    said: list[tuple[str, ...]] = [("scale", "min")] if scaled else []
    said += [("replicas",)] if not scaled or ("replicas",) in service.settings else []
    fewer = survey.copies_before(copies)
    return survey.paste_each({survey.path_of(service, *key): fewer for key in said}) if copies > 0 else ""


def _smaller(survey: Survey, services: list[Service], resource: str, room: int, asked: int, *, above: int = 0) -> str:
    """Return what makes services smaller by the share that is not there; empty if nothing would be left of one.

    Args:
        survey: of what.
        services: which.
        resource: of what they ask too much.
        room: what is there of it.
        asked: what is asked of it.
        above: amounts up to this stay as they are.
    """
    amounts = {}
    for service in services:
        said = {"limits": service.limits.get(resource), "requests": service.requests.get(resource)}
        if not any(said.values()):
            said = {"requests": service.estimates.get(resource)}
        for key, one in said.items():
            if one is not None and one.amount > above:
                amounts[survey.path_of(service, key)] = one.amount * max(0, room) // asked
    least = units.MIB if resource == MEMORY else 10 if resource == CPUS else 1
    if not amounts or min(amounts.values()) < least:
        return ""
    return survey.paste_amounts(amounts, resource)


def _line(service: Service, resource: str) -> Place:
    found = service.requests.get(resource) or service.limits.get(resource) or service.estimates.get(resource)
    return found.place if found and found.place.line else service.place


def _sum(services: list[Service], resource: str, each: Mapping[Name, int]) -> str:
    parts = [
        f"{one.replicas.count} x {_show(resource, each[one.name])}"
        if one.replicas.count > 1
        else _show(resource, each[one.name])
        for one in services[:_SHOWN]
    ]
    rest = len(services) - _SHOWN
    return " + ".join(parts) + (f" + {rest} more" if rest > 0 else "")


def _named(survey: Survey, nodes: tuple[Node, ...]) -> str:
    if len(nodes) == len(survey.fleet.nodes):
        return f"these {len(nodes)} nodes"
    names = ", ".join(node.name for node in nodes[:_SHOWN])
    return names if len(nodes) <= _SHOWN else f"{names} and {len(nodes) - _SHOWN} more"


def _show(resource: str, amount: int) -> str:
    return units.show(resource, amount) if resource in (CPUS, MEMORY) else f"{amount} {resource}"
