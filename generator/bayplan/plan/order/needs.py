"""Who needs whom: the order of starts, and the other way round of stops."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, TypeVar

from bayplan.model.names import Name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bayplan.model.fleet import Fleet
    from bayplan.model.service import Service

_Some = TypeVar("_Some")
_SHARES = "service:"


def needs(*fleets: Fleet) -> dict[Name, frozenset[Name]]:
    """Return service → those it needs, in any of the fleets: dependencies, links, shared networks and volumes."""
    found: dict[Name, set[Name]] = {}
    for fleet in fleets:
        for name, service in fleet.services.items():
            others = {Name(name.project, other) for other in _named(service)}
            found.setdefault(name, set()).update(others - {name})
    return {name: frozenset(others) for name, others in sorted(found.items())}


def _named(service: Service) -> set[str]:
    named = {dependency.name for dependency in service.depends_on}
    named |= {str(link).partition(":")[0] for link in service.body.get("links") or ()}
    named |= {text.partition(":")[0] for text in map(str, service.body.get("volumes_from") or ())}
    shared = host_of(service)
    return named | ({shared.name} if shared else set())


def host_of(service: Service) -> Name | None:
    """Return the service whose network a service shares, or None."""
    mode = service.network_mode
    return Name(service.name.project, mode.removeprefix(_SHARES)) if mode.startswith(_SHARES) else None


def in_order(
    items: Iterable[_Some], waits: Callable[[_Some], Iterable[_Some]], rank: Callable[[_Some], Any]
) -> list[_Some]:
    """Return items after those they wait for, otherwise by rank; a circle is cut where the rank is lowest.

    Args:
        items: each once.
        waits: gives what an item waits for; what is not among the items does not count.
        rank: a total order.
    """
    ranked = sorted(items, key=rank)
    place = {one: index for index, one in enumerate(ranked)}
    waiting = [{place[other] for other in waits(one) if other in place} - {place[one]} for one in ranked]
    freed: dict[int, list[int]] = {}
    for index, others in enumerate(waiting):
        for other in others:
            freed.setdefault(other, []).append(index)
    free = [index for index, others in enumerate(waiting) if not others]
    left = set(range(len(ranked))) - set(free)
    result: list[_Some] = []
    while free or left:
        if not free:
            free = [min(left)]
            left -= {free[0]}
        first = heappop(free)
        result.append(ranked[first])
        for index in freed.get(first, ()):
            waiting[index].discard(first)
            if index in left and not waiting[index]:
                left.discard(index)
                heappush(free, index)
    return result
