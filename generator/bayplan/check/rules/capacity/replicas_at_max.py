"""Services that may grow to more copies than the fleet has room for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.analyse import cards
from bayplan.analyse.charge import charge
from bayplan.analyse.eligible import may_stand
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model import units
from bayplan.model.quantity import CPUS, MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.model.names import Name
    from bayplan.model.service import Service

RULE = Rule("capacity/replicas-at-max", Severity.ERROR)
CARDS = "cards"
Least = tuple[int, str, int, int]
"""For how many copies there is room, of which resource, what each takes of it, and what the others take."""


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service that does not fit beside what surely runs, once it is at its maximum.

    Where there are even fewer slices or shares of cards, those are told: `gpu/fewer-cards`.
    """
    rooms, scarcest = at_most(survey)
    for service in survey.services:
        least = scarcest.get(service.name)
        if least is not None and not _fewer_cards(survey, service, least[0]):
            yield _finding(survey, service, rooms, least)


def _fewer_cards(survey: Survey, service: Service, copies: int) -> bool:
    """Whether the cards where a service may stand have slices or shares for fewer copies than so many."""
    ask = service.gpu
    if ask is None or ask.count or ask.time_group or not (ask.memory or ask.profile):
        return False
    nodes = [node for node in survey.fleet.nodes.values() if node.gpus and may_stand(service, node)]
    return service.replicas.count <= sum(cards.copies(ask, node) for node in nodes) < copies


def at_most(survey: Survey) -> tuple[dict[str, int], dict[Name, Least]]:
    """Return the room for each resource, and service → what is there for the fewest copies, where that is too few."""
    found: dict[Name, Least] = {}
    rooms = {resource: _room(survey, resource) for resource in (CPUS, MEMORY, CARDS, *_countables(survey))}
    taken = {resource: _taken(survey, resource) for resource in rooms}
    for service in survey.services:
        replicas = service.replicas
        if not replicas.scaled or replicas.maximum <= replicas.count:
            continue
        least: Least | None = None
        for resource, room in rooms.items():
            each = _each(survey, service, resource)
            others = taken[resource] - each * replicas.count
            if not each or others + each * replicas.maximum <= room:
                continue
            # Where not even the copies of now fit beside the others, the placement says so; alone it may still be said.
            others = others if others + each * replicas.count <= room else 0
            fitting = (room - others) // each
            if replicas.minimum <= fitting < replicas.maximum and (least is None or fitting < least[0]):
                least = fitting, resource, each, others
        if least is not None:
            found[service.name] = least
    return rooms, found


def _finding(survey: Survey, service: Service, rooms: Mapping[str, int], least: Least) -> Finding:
    """Return what is said of the resource that is there for the fewest copies."""
    fitting, resource, each, others = least
    replicas, place = service.replicas, survey.settings_of(service, "scale", "max")
    beside = f" + {_show(resource, others)} of the others" if others else ""
    return RULE.finding(
        place.place if place else replicas.place,
        service.name,
        f"may grow to {replicas.maximum} copies, but the fleet has {resource} for {fitting}",
        arithmetic=f"{replicas.maximum} x {_show(resource, each)} = {_show(resource, each * replicas.maximum)}"
        f"{beside} > {_show(resource, rooms[resource])}; at {replicas.count}: {_show(resource, each * replicas.count)}",
        paste=survey.paste(survey.path_of(service, "scale", "max"), survey.copies_before(fitting)),
    )


def _countables(survey: Survey) -> tuple[str, ...]:
    """Return the own countables that nodes offer."""
    offered = {key for node in survey.fleet.nodes.values() for key in node.capacity}
    return tuple(sorted(key for key in offered if key not in (CPUS, MEMORY) and ":" not in key))


def _room(survey: Survey, resource: str) -> int:
    if resource == CARDS:
        return sum(len(node.gpus) for node in survey.fleet.nodes.values())
    return sum(node.room(resource) for node in survey.fleet.nodes.values())


def _taken(survey: Survey, resource: str) -> int:
    """Return what all services surely take, members of on-demand pools left out: they may rest."""
    running = (one for one in survey.services if not _rests(survey, one))
    return sum(_each(survey, one, resource) * one.replicas.count for one in running)


def _rests(survey: Survey, service: Service) -> bool:
    pool = survey.fleet.pools.get(service.pool)
    return pool is not None and pool.scaling == "on-demand" and not service.replicas.scaled


def _each(survey: Survey, service: Service, resource: str) -> int:
    if resource == CARDS:
        return service.gpu.count if service.gpu else 0
    amount = charge(survey.fleet, service, resource)
    return amount.amount if amount else 0


def _show(resource: str, amount: int) -> str:
    return f"{amount} {resource}" if resource not in (CPUS, MEMORY) else units.show(resource, amount)
