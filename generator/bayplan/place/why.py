"""Why not there? All the reasons, with their amounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.analyse import cards
from bayplan.model.placement import Seat
from bayplan.place.constraints.build import build
from bayplan.place.exact.seats import only_access
from bayplan.place.verify import broken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.model.fleet import Fleet, Node
    from bayplan.model.names import Instance
    from bayplan.model.placement import Placement
    from bayplan.model.service import GpuAsk
    from bayplan.place.constraints.problem import Problem
    from bayplan.place.constraints.rules import Broken


def why_not(fleet: Fleet, placement: Placement, instance: Instance, node: str) -> tuple[str, ...]:
    """Return all reasons why a copy cannot stand on a node while all others stay where they are; empty if it can."""
    if node not in fleet.nodes:
        return (f"{node} is no node of this environment",)
    seats = placement.seats
    if instance in seats and seats[instance].node == node:
        return ()
    problem = build(fleet)
    before = {_told(one) for one in broken(problem, seats)}
    trials = [list(broken(problem, {**seats, instance: seat})) for seat in _trials(problem, seats, instance, node)]
    reasons = [_new(trial, before, node) for trial in trials]
    return min(reasons, key=len)


def _told(one: Broken) -> tuple[str, str]:
    return one.message, one.arithmetic


def _new(trial: list[Broken], before: set[tuple[str, str]], node: str) -> tuple[str, ...]:
    """Return what is broken only now; a line that another node is over is no reason against this one."""
    new = [one for one in trial if _told(one) not in before]
    here = [one for one in new if one.rule != "capacity/over-line" or one.lines[0].subject == node]
    unfit = any(one.rule == "gpu/unfit" for one in here)
    return tuple(dict.fromkeys(_reason(one) for one in here if not (unfit and one.rule == "gpu/cards")))


def _reason(one: Broken) -> str:
    return f"{one.message}: {one.arithmetic}" if one.arithmetic else one.message


def _trials(problem: Problem, seats: Mapping[Instance, Seat], instance: Instance, node: str) -> list[Seat]:
    """Return the seats worth a look: one for each card that could be shared, or the emptiest cards if whole."""
    ask = problem.fleet.services[instance.service].gpu
    machine = problem.fleet.nodes[node]
    if ask is None or not machine.gpus:
        return [Seat(node)]
    others = {one: seat for one, seat in seats.items() if one != instance}
    indices = _emptiest(machine, ask, others)
    if ask.count or only_access(ask):
        uncut = sum(not card.mig for card in machine.gpus)
        return [Seat(node, tuple(sorted(indices[: uncut if ask.access < 0 else cards.cards_needed(ask)])))]
    return [Seat(node, (index,)) for index in indices]


def _emptiest(node: Node, ask: GpuAsk, seats: Mapping[Instance, Seat]) -> list[int]:
    """Return the indices of a node's cards: those that suit first, of these the ones with the fewest users."""
    users = [index for seat in seats.values() if seat.node == node.name for index in seat.gpus]
    groups = {group.cards[0]: group for group in cards.groups(node, single=True)}
    return sorted(groups, key=lambda index: (bool(cards.unsuited(ask, groups[index])), users.count(index), index))
