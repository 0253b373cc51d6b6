"""Does a recorded decision still hold? Sums and comparisons only: the solver is not asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.finding import Finding, Place, Severity, in_order
from bayplan.model.units import show
from bayplan.place.cardbook import broken_cards
from bayplan.place.constraints import lines
from bayplan.place.constraints.build import build
from bayplan.place.constraints.rules import Broken, Counts, at
from bayplan.place.exact.seats import counts_of
from bayplan.place.upfront import quotas

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bayplan.model.fleet import Fleet, Node
    from bayplan.model.names import Instance
    from bayplan.model.placement import Placement, Seat
    from bayplan.place.constraints.problem import Problem


def verify(fleet: Fleet, placement: Placement) -> tuple[Finding, ...]:
    """Return every hard constraint that a placement breaks, with its sum; empty if it holds."""
    found = [_finding(one) for one in broken(build(fleet), placement.seats)]
    found += [one for one in quotas.quotas(fleet) if one.is_error]
    found += list(_people(fleet, placement.seats))
    return in_order(found)


def broken(problem: Problem, seats: Mapping[Instance, Seat]) -> Iterator[Broken]:
    """Yield everything that seats break about the rules, the rooms and the cards of a problem."""
    counts = counts_of(seats)
    for rule in (*problem.refusing(), *problem.active()):
        yield from rule.broken(counts)
    for node in problem.nodes:
        yield from over_lines(problem, node, counts)
        yield from broken_cards(problem, node, seats)


def over_lines(problem: Problem, node: Node, counts: Counts) -> Iterator[Broken]:
    """Yield every resource of a node whose charges and reserve go over its line."""
    for resource in problem.resources:
        room = problem.room(node, resource)
        charged = problem.bill(node, resource).charged(lambda name: at(counts, name, node.name))
        if room is not None and charged > room:
            line = lines.capacity(node, resource)
            message = f"{resource} of {node.name} is over its line"
            yield Broken("capacity/over-line", (line,), message, node_sum(node, resource, charged))


def node_sum(node: Node, resource: str, charged: int) -> str:
    """Return `53.4 GiB + reserve 4 GiB > 54.4 GiB = 85 % of 64 GiB` with the right sign."""
    kept, limit = node.reserved(resource), node.line(resource)
    sign = ">" if charged + kept > limit else "<="
    reserve = f" + reserve {show(resource, kept)}" if kept else ""
    share = node.ceilings.get(resource)
    of = (
        f" = {float(share.value * 100):g} % of {show(resource, node.has(resource))}"
        if share and share.value != 1
        else ""
    )
    return f"{show(resource, charged)}{reserve} {sign} {show(resource, limit)}{of}"


def _finding(one: Broken) -> Finding:
    first = one.lines[0]
    also: tuple[Place, ...] = tuple(line.place for line in one.lines[1:])
    return Finding(one.rule, Severity.ERROR, first.place, first.subject, one.message, one.arithmetic, also=also)


def _people(fleet: Fleet, seats: Mapping[Instance, Seat]) -> Iterator[Finding]:
    """Yield copies without a seat, seats without a copy, and seats on machines that are not there."""
    wanted = set(fleet.instances())
    for one in sorted(wanted - set(seats)):
        place = fleet.services[one.service].place
        yield Finding("placement/missing", Severity.ERROR, place, str(one), f"{one} has no seat")
    for one in sorted(set(seats) - wanted):
        message = f"{one} has a seat, but the policy does not ask for it"
        yield Finding("placement/stale", Severity.ERROR, Place("placement.yml"), str(one), message)
    for one, seat in sorted(seats.items()):
        if seat.node not in fleet.nodes:
            message = f"{one} stands on {seat.node}, which is no node of this environment"
            yield Finding("node/unknown", Severity.ERROR, Place("placement.yml"), str(one), message)
