"""Build the problem that a fleet poses: every rule, demand and hold, in the order of names."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from bayplan.analyse.charge import charge
from bayplan.model.quantity import CPUS, DISK, GPU_MEMORY, MEMORY, PIDS, SWAP
from bayplan.place.constraints import clashes, holds, lines, ties, unary
from bayplan.place.constraints.problem import Problem
from bayplan.place.constraints.rules import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bayplan.model.fleet import Fleet
    from bayplan.model.names import Name
    from bayplan.model.service import Service
    from bayplan.place.constraints.lines import Key, PolicyLine
    from bayplan.place.constraints.rules import Refusal


def build(fleet: Fleet) -> Problem:
    """Return the problem that a fleet poses."""
    services = ties.placed(fleet)
    sized = tuple(one for one in ties.volumes(fleet) if one.volume.size and one.volume.access != "network")
    demands = _demands(fleet, services, sized)
    nodes = tuple(node for _, node in sorted(fleet.nodes.items()))
    asked = {resource for _, resource in demands if resource not in {lines.GPU, DISK}}
    asked |= {node.disk_of(one.volume) for node in nodes if node.disks for one in sized}
    resources = tuple(sorted(asked))
    standing = holds.standing(fleet)
    held = tuple(one for service in services for one in holds.holds(fleet, service, standing.get(service.name, {})))
    refusals = [one for service in services for one in unary.refusals(fleet, service, standing.get(service.name, {}))]
    rules = [*_rules(fleet, services, refusals, demands), *(one for hold in held for one in holds.stays_of(hold))]
    refusals += [one for hold in held for one in holds.refusals_of(fleet, hold)]
    pairs = tuple(clashes.card_pairs(fleet))
    return Problem(
        fleet, services, nodes, resources, _keyed(refusals), _keyed(rules), pairs, demands, standing, held, sized
    )


_Some = TypeVar("_Some", bound=Rule)


def _keyed(rules: Iterable[_Some]) -> tuple[tuple[_Some, frozenset[Key]], ...]:
    return tuple((rule, frozenset(line.key for line in rule.lines)) for rule in rules)


def _demands(
    fleet: Fleet, services: tuple[Service, ...], sized: tuple[ties.SharedVolume, ...]
) -> dict[tuple[Name, str], PolicyLine]:
    found: dict[tuple[Name, str], PolicyLine] = {}
    counted = sorted({CPUS, MEMORY, *_counted(fleet)})
    for service in services:
        for resource in counted:
            quantity = charge(fleet, service, resource)
            if quantity and quantity.amount:
                found[service.name, resource] = lines.demand(fleet, service, resource)
        if service.gpu:
            found[service.name, lines.GPU] = lines.gpu_demand(service, service.gpu)
    for shared in sized:
        size = shared.volume.size.amount if shared.volume.size else 0
        found[shared.volume.name, f"{DISK}{shared.volume.disk_class}"] = lines.disk_demand(shared.volume, size)
    return found


def _counted(fleet: Fleet) -> set[str]:
    """Return the own countables: what some node has in pieces, or some service requests."""
    named = {resource for node in fleet.nodes.values() for resource in node.capacity} - {SWAP, PIDS}
    named |= {resource for service in fleet.active() for resource in service.requests} - {SWAP, PIDS}
    return {one for one in named if one not in {CPUS, MEMORY, GPU_MEMORY} and not one.startswith(DISK)}


def _rules(
    fleet: Fleet,
    services: tuple[Service, ...],
    refusals: list[Refusal],
    demands: Mapping[tuple[Name, str], PolicyLine],
) -> Iterator[Rule]:
    yield from ties.volume_ties(fleet)
    yield from ties.near_ties(fleet)
    yield from clashes.clashes(fleet)
    spreading = [service for service in services if service.placement.spread]
    eligible = {service.name: _eligible(fleet, service, refusals, demands) for service in spreading}
    yield from clashes.spreads(fleet, eligible)
    yield from clashes.node_quotas(fleet)


def _eligible(
    fleet: Fleet, service: Service, refusals: list[Refusal], demands: Mapping[tuple[Name, str], PolicyLine]
) -> tuple[str, ...]:
    """Return the nodes that could have a copy if they were empty: the domains that spreading counts."""
    refused = {one.node for one in refusals if one.service == service.name}
    own = [(key[1], line.amount) for key, line in demands.items() if key[0] == service.name]
    asked = {one: amount for one, amount in own if one != lines.GPU and not one.startswith(DISK)}
    return tuple(
        name
        for name, node in sorted(fleet.nodes.items())
        if name not in refused and all(amount <= node.room(resource) for resource, amount in asked.items())
    )
