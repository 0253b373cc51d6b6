"""Core sets that are too small for what stands on them, and nodes that leave no core for the others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bayplan.analyse.coregroups import Group, shares
from bayplan.analyse.cores import OS, SHARED, cores, kind, where_said
from bayplan.finding import Finding, error, warning
from bayplan.model.quantity import CPUS
from bayplan.place.conflict.amend import show
from bayplan.place.coresets import smaller, too_few

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bayplan.analyse.cores import Cores
    from bayplan.finding import Place
    from bayplan.model.fleet import Fleet, Node
    from bayplan.model.placement import Placement
    from bayplan.model.service import Service

_MILLI = 1000


def core_findings(fleet: Fleet, placement: Placement) -> Iterator[Finding]:
    """Yield core sets that are too small for what stands on them, and nodes on which some have no core at all."""
    told: dict[Place, tuple[int, Finding]] = {}
    own = cores(fleet, placement)
    for name, here in shares(fleet, placement.seats).items():
        taken = {core for some in own[name].own.values() for core in some} if name in own else set()
        free = tuple(core for core in here.free if core not in taken)
        spare = max(0, len(free) - bool(here.loose.copies))
        for group in here.crowded():
            found, lack = too_few(group, free, spare), group.asked - len(group.cores) * _MILLI
            # One line may be the set of many nodes: it is told where it lacks most.
            if found.place not in told or told[found.place][0] < lack:
                told[found.place] = lack, found
        if fleet.nodes[name].core_map.keys() - {OS} and not (here.free or here.alone):
            yield from _in_no_set(here.loose, here.pinned)
    yield from (found for _, found in told.values())
    yield from _own_cores(fleet, placement)


def _in_no_set(loose: Group, groups: Mapping[tuple[int, ...], Group]) -> Iterator[Finding]:
    """Yield the pools, and the services of none, that are in no set of a node whose every core is in one."""
    fleet, node = loose.fleet, loose.node
    sizes = " + ".join(f"{len(some)} ({name})" for name, some in node.core_map.items())
    mapped = {core for some in node.core_map.values() for core in some}
    pools: dict[str, list[Service]] = {}
    proxies = {edge.service for edge in fleet.edges.values()}
    for service in (one for one in loose.copies if one.name not in proxies):
        pools.setdefault(service.pool if service.pool in fleet.pools else "", []).append(service)
    for name, members in sorted(pools.items()):
        group = replace(loose, copies=tuple(members))
        services = [str(one.name) for one in group.services]
        roomy = _roomy(group, groups)
        # A pool says it once for all of its members; where it is none, each says it.
        said = {name: {"cores": roomy}} if name else {one: {"cores": roomy} for one in services}
        yield warning(
            "pinning/no-core",
            fleet.pools[name].place if name else members[0].place,
            f"pools.{name}" if name else f"nodes.{node.name}",
            f"leaves no core of {node.name} to {', '.join(services[:3])}{' and others' if services[3:] else ''}: each "
            "is in a set, and nothing keeps them off those",
            "" if roomy else f"take cores from a set of nodes.{node.name}.core_map, or name a set for them: cores: ...",
            arithmetic=f"{sizes} = {len(mapped)} of {node.has(CPUS) // _MILLI} cores",
            paste=show(("pools" if name else "services",), said) if roomy else "",
            also=(node.core_places.get(OS, node.place),),
        )


def _roomy(group: Group, groups: Mapping[tuple[int, ...], Group]) -> str:
    """Return the set of the node with the most room, if a group fits there, or the empty string."""
    best, most = "", -1
    for name, some in sorted(group.node.core_map.items()):
        there = groups.get(some)
        room = len(some) * _MILLI - (there.asked if there else 0)
        if name != OS and room > most:
            best, most = name, room
    return best if most >= group.asked else ""


def _own_cores(fleet: Fleet, placement: Placement) -> Iterator[Finding]:
    """Yield the copies for which too few cores are free, and nodes on which none is left for the others."""
    for name, given in cores(fleet, placement).items():
        node = fleet.nodes[name]
        for service in dict.fromkeys(copy.service for copy in given.short):
            yield _too_few_of_its_own(Group(fleet, node, (fleet.services[service],)), given)
        others = [one for one in placement.on(name) if kind(fleet, fleet.services[one.service]) == SHARED]
        if others and not given.rest:
            message = f"has no core left for {others[0].service}: each is the system's or somebody's own"
            yield error("pinning/no-core", node.place, f"nodes.{name}", message, _remedy(node))


def _too_few_of_its_own(group: Group, given: Cores) -> Finding:
    """Return what is wrong with a service some copies of which find fewer free cores than they ask for."""
    (service,), node = group.copies, group.node
    wanted = next(cores for copy, cores in given.short.items() if copy.service == service.name)
    threads = max(1, node.threads_per_core)
    mine = sum(len(own) // threads for copy, own in given.own.items() if copy.service == service.name)
    copies = sum(copy.service == service.name for copy in (*given.own, *given.short))
    there = (given.free + mine) // copies
    times = f"{copies} x {wanted} = {copies * wanted}" if copies > 1 else str(wanted)
    said = where_said(group.fleet, service)[1]
    more = (service.replicas.place,) if service.replicas.count > 1 else ()
    return error(
        "pinning/too-few-cores",
        group.place(service),
        str(service.name),
        f"asks for {times.rpartition(' ')[2]} cores of its own on {node.name}; fewer are in no set and nobody's own",
        _remedy(node),
        arithmetic=f"{times} > {given.free + mine}",
        paste=show(("services", str(service.name)), smaller(service, there * threads * _MILLI)) if there else "",
        also=tuple(dict.fromkeys(one for one in (said, *more, node.place) if one != group.place(service))),
    )


def _remedy(node: Node) -> str:
    sets = ", ".join(name for name in sorted(node.core_map)) or "none"
    return f"make a set of nodes.{node.name}.core_map smaller ({sets}), or ask for fewer CPUs"
