"""What a valid placement leaves open: services without a bound, cards whose VRAM nobody says, bridged dependencies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.analyse.charge import unbounded
from bayplan.finding import Finding, note, warning
from bayplan.model.names import Name
from bayplan.model.quantity import CPUS, MEMORY
from bayplan.place.constraints.ties import bridge_of, crossing
from bayplan.place.exact.seats import counts_of
from bayplan.place.vram import vram_unsaid
from bayplan.place.words import several

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bayplan.model.fleet import Node
    from bayplan.model.names import Instance
    from bayplan.model.placement import Seat
    from bayplan.place.constraints.problem import Problem
    from bayplan.place.constraints.rules import Counts


def risks(problem: Problem, seats: Mapping[Instance, Seat]) -> Iterator[Finding]:
    """Yield what a person should know about a placement that holds."""
    counts = counts_of(seats)
    for node in problem.nodes:
        for resource in (CPUS, MEMORY):
            yield from _unbounded(problem, counts, node, resource)
    yield from vram_unsaid(problem.fleet, seats)
    yield from _bridged(problem, counts)


def _unbounded(problem: Problem, counts: Counts, node: Node, resource: str) -> Iterator[Finding]:
    here = [one for one in problem.services if counts.get(one.name, {}).get(node.name)]
    free = [one for one in here if unbounded(problem.fleet, one, resource)]
    if free:
        verb = "has" if len(free) == 1 else "have"
        message = f"{several(len(free), 'service')} on {node.name} {verb} no limit, request or estimate of {resource}"
        remedy = f"give them limits, or estimates: [{{match: ..., {resource}: ...}}]"
        listed = ", ".join(str(one.name) for one in free)
        first, *others = (one.place for one in free)
        yield warning(
            "capacity/unbounded",
            first,
            node.name,
            message,
            remedy,
            arithmetic=f"charged 0: {listed}",
            also=tuple(others),
        )


def _bridged(problem: Problem, counts: Counts) -> Iterator[Finding]:
    """Yield, for each network, how many dependencies now cross nodes by way of published ports, overlay or proxy."""
    bridged: dict[tuple[str, str], list[str]] = {}
    for service in problem.services:
        for edge in service.depends_on:
            to = problem.fleet.services.get(Name(service.name.project, edge.name))
            if to and _apart(counts, service.name, to.name) and not crossing(problem.fleet, service, to, edge)[0]:
                bridge, network = bridge_of(problem.fleet, service, to)
                title = str(network.name) if network else f"{service.name.project}/default"
                bridged.setdefault((title, bridge), []).append(f"{service.name} → {to.name}")
    for (title, bridge), edges in sorted(bridged.items()):
        if bridge not in {"", "refuse"}:
            cross = "crosses" if len(edges) == 1 else "cross"
            edges_over = f"{several(len(edges), 'dependency edge')} over {title}"
            message = f"{edges_over} {cross} nodes, bridged by between_nodes: {bridge}"
            network = next((one for one in problem.fleet.networks.values() if str(one.name) == title), None)
            place = network.place if network else problem.services[0].place
            yield note("network/edges-bridged", place, title, message, arithmetic=", ".join(edges))


def _apart(counts: Counts, one: Name, other: Name) -> bool:
    here, there = set(counts.get(one, {})), set(counts.get(other, {}))
    return bool(there) and not here <= there
