"""Which cores are whose: services with exclusive cores get whole physical ones, all shared services the rest.

A node without exclusive services is left alone. The lowest cores that belong to no named set, and that nobody else
names, are given first, in the order of names, so that the same decision gives the same cores. Linux numbers the threads
of core i as i, i + cores, i + 2 cores, …: that is what is assumed where a core has several.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bayplan.analyse.charge import charge_on
from bayplan.model.quantity import CPUS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bayplan.finding import Place
    from bayplan.model.fleet import Fleet, Node
    from bayplan.model.names import Instance, Name
    from bayplan.model.placement import Placement
    from bayplan.model.service import Service

EXCLUSIVE = "exclusive"
OS = "os"
"""The set that is kept free for the system."""
SHARED = "shared"
_MILLI = 1000


@dataclass(frozen=True, slots=True)
class Cores:
    """The cores of one node.

    Attributes:
        own: copy → the logical CPUs that nobody else uses.
        rest: those of all shared services: neither somebody's own nor the system's.
        short: copy → how many cores it asks for, where fewer are free.
        free: how many physical cores are in no set and nobody's own.
    """

    own: Mapping[Instance, tuple[int, ...]] = field(default_factory=dict)
    rest: tuple[int, ...] = ()
    short: Mapping[Instance, int] = field(default_factory=dict)
    free: int = 0


def cores(fleet: Fleet, placement: Placement) -> dict[str, Cores]:
    """Return the cores of each node that has a service with exclusive ones."""
    asking: dict[str, list[Instance]] = {}
    others: dict[str, set[Name]] = {}
    for copy, seat in sorted(placement.seats.items()):
        if kind(fleet, fleet.services[copy.service]) == EXCLUSIVE:
            asking.setdefault(seat.node, []).append(copy)
        else:
            others.setdefault(seat.node, set()).add(copy.service)
    return {
        node: _given(fleet, fleet.nodes[node], copies, others.get(node, set()))
        for node, copies in sorted(asking.items())
    }


def kind(fleet: Fleet, service: Service) -> str:
    """Return how a service takes its cores, by its own word or else its tier's."""
    return service.cores if service.cores != SHARED else fleet.tier_of(service).cores or SHARED


def pinned(fleet: Fleet, service: Service, node: Node) -> tuple[int, ...]:
    """Return the cores that a service is confined to on a node: those of its set, its own words, or its Compose file's.

    Empty for shared and exclusive ones, and for a set that the node does not have.
    """
    how = kind(fleet, service)
    if how == EXCLUSIVE:
        return ()
    if how in ("", SHARED):
        return cores_in(str(service.body.get("cpuset") or ""))
    return node.core_map.get(how) or cores_in(how)


def where_said(fleet: Fleet, service: Service) -> tuple[tuple[str, ...], Place]:
    """Return where the policy says on which cores a service runs, or where it would, and the line that says so."""
    path = ("services", str(service.name), "cores")
    own, pool, tier = service.settings.get(("cores",)), fleet.pools.get(service.pool), fleet.tier_of(service)
    if own is not None and own.value is not None:
        return path, own.place
    if pool is not None and pool.cores and pool.cores == service.cores:
        return ("pools", pool.name, "cores"), pool.cores_place
    if tier.cores and tier.cores != SHARED:
        return ("tiers", tier.name, "cores"), tier.cores_place
    written = service.tree.get("cpuset") if service.tree is not None else None
    return path, written.place if written is not None else service.place


def whole_cores(node: Node, some: Iterable[int]) -> frozenset[int]:
    """Return the physical cores that logical ones are threads of."""
    count = max(1, node.has(CPUS) // (_MILLI * max(1, node.threads_per_core)))
    return frozenset(core % count for core in some)


def cores_in(text: str) -> tuple[int, ...]:
    """Return the cores of `2-3`, `0,4-5`, sorted; none for any other text."""
    cores: set[int] = set()
    for part in text.split(","):
        found = re.fullmatch(r"\s*(\d{1,4})(?:-(\d{1,4}))?\s*", part)
        if found is None:
            return ()
        cores.update(range(int(found[1]), int(found[2] or found[1]) + 1))
    return tuple(sorted(cores))


def looks_like_cores(text: str) -> bool:
    """Whether a text is meant as cores, even if it names none: `5-2`, `2,`."""
    return re.fullmatch(r"[0-9,\s-]+", text) is not None


def show_cores(cores: Iterable[int]) -> str:
    """Return `0-2,5` from cores."""
    runs: list[list[int]] = []
    for core in sorted(cores):
        if runs and runs[-1][-1] == core - 1:
            runs[-1].append(core)
        else:
            runs.append([core])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _given(fleet: Fleet, node: Node, copies: list[Instance], others: Iterable[Name]) -> Cores:
    named = {core for some in node.core_map.values() for core in some}
    named.update(core for name in others for core in pinned(fleet, fleet.services[name], node))
    free = [whole for whole in _physical(node) if named.isdisjoint(whole)]
    own: dict[Instance, tuple[int, ...]] = {}
    short: dict[Instance, int] = {}
    for copy in copies:
        wanted = _wanted(fleet, fleet.services[copy.service], node)
        if wanted > len(free):
            short[copy] = wanted
            continue
        own[copy] = tuple(sorted(thread for whole in free[:wanted] for thread in whole))
        free = free[wanted:]
    kept = {core for some in own.values() for core in some} | set(node.core_map.get(OS, ()))
    rest = tuple(core for core in range(node.has(CPUS) // _MILLI) if core not in kept)
    return Cores(own, rest, short, len(free))


def _physical(node: Node) -> list[tuple[int, ...]]:
    """Return the threads of each physical core of a node."""
    threads = max(1, node.threads_per_core)
    count = node.has(CPUS) // (_MILLI * threads)
    return [tuple(core + thread * count for thread in range(threads)) for core in range(count)]


def _wanted(fleet: Fleet, service: Service, node: Node) -> int:
    """Return how many physical cores a copy is charged; one at least, as it asked for its own."""
    charged = charge_on(fleet, service, node, CPUS)
    return max(1, charged.amount // (_MILLI * max(1, node.threads_per_core))) if charged else 1


def cpuset(fleet: Fleet, given: Mapping[str, Cores], node: Node, copies: tuple[Instance, ...]) -> tuple[int, ...]:
    """Return the cores that copies of one service share on a node; empty if they may use every one.

    Args:
        fleet: TO-BE.
        given: what `cores` gave.
        node: where they stand.
        copies: copies that become one container definition, so that they get their cores together.
    """
    here = given.get(node.name)
    if here is None:
        return ()
    how = kind(fleet, fleet.services[copies[0].service])
    if how == SHARED:
        return here.rest
    return tuple(sorted(core for copy in copies for core in here.own.get(copy, ()))) if how == EXCLUSIVE else ()
