"""What makes one valid placement better than another, the most important first.

1. movement    bytes to carry and images to pull, then copies that restart
2. previous    copies that leave the node which was decided last time
3. cards       copies that leave the cards which they had last time, where cards of a node are not alike
4. preference  preferred labels, soft spreading, no CPU service on a machine with cards or taints
5. balance     the fullest machine's share of CPU or memory
6. evenness    then the other machines: the fuller one is, the more its next percent costs
7. order       early names on early nodes, so that ties have one answer
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from bayplan.analyse.eligible import domains_of
from bayplan.model.quantity import CPUS, MEMORY
from bayplan.model.units import GIB, MIB
from bayplan.place.constraints import ties
from bayplan.place.exact.post_bills import charges

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bayplan.model.fleet import Node
    from bayplan.model.names import Name
    from bayplan.model.placement import Placement
    from bayplan.model.service import Service
    from bayplan.place.exact.board import Board, Expr
    from bayplan.place.exact.post_cards import GroupBoard

EVENNESS, ORDER = "evenness", "order"
TIES = (EVENNESS, ORDER)
"""Goals that only choose between placements that are equally good."""
IMAGE = 512 * MIB
"""Nominal bytes of an image that a move pulls on the target."""
VOLUME = GIB
"""Nominal bytes of a carried volume whose size nobody knows."""
PER_CENT = 100
_ASKED, _IMPLIED = 100, 1
"""A preference that the policy states outweighs any number of implied ones on a handful of machines."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A cost to be minimised, and the deterministic seconds that it is worth."""

    name: str
    cost: Expr
    effort: float


def goals(board: Board, cards: Sequence[GroupBoard], previous: Placement | None) -> Iterator[Goal]:
    """Yield the goals in order, without those that nothing can change; each adds its variables when it is reached."""
    made: tuple[tuple[str, Callable[[Board], Expr], float], ...] = (
        ("movement", _movement, 20.0),
        ("previous", partial(_previous, previous=previous), 10.0),
        ("cards", partial(_cards, groups=cards, previous=previous), 10.0),
        ("preference", _preference, 10.0),
        ("balance", _balance, 10.0),
        (EVENNESS, _evenness, 0.2),
        (ORDER, _order, 0.1),
    )
    for name, make, effort in made:
        cost = make(board)
        if not isinstance(cost, int):
            yield Goal(name, cost, effort)


def _movement(board: Board) -> Expr:
    """MiB to carry, weighted so that any of them outweighs the number of copies that move."""
    standing = board.problem.standing
    weight = sum(board.copies.values()) + 1
    carried = _carried(board)
    parts = []
    for name, places in sorted(standing.items()):
        cost = (IMAGE + carried.get(name, 0)) // MIB * weight + 1
        parts += [cost * _left(board, name, node, copies) for node, copies in places.items()]
    return board.total(parts)


def _carried(board: Board) -> Mapping[Name, int]:
    """Return service → bytes that go with a copy; a shared volume is carried once, with its first user."""
    found: Counter[Name] = Counter()
    for shared in ties.volumes(board.problem.fleet):
        volume = shared.volume
        if volume.on_move == "carry" and volume.access != "network":
            carriers = shared.users if volume.access == "per-replica" else shared.users[:1]
            found.update(dict.fromkeys(carriers, volume.size.amount if volume.size else VOLUME))
    return found


def _left(board: Board, name: Name, node: str, copies: int) -> Expr:
    """Return how many of the copies that belong to a node are not there."""
    here = board.at(name, node)
    return copies - here if board.copies[name] == 1 and not isinstance(here, int) else _short(board, here, copies)


def _short(board: Board, here: Expr, number: int) -> Expr:
    """Return by how much there are fewer than a number."""
    if isinstance(here, int):
        return max(0, number - here)
    stays = board.integer(number, "stays")
    board.model.add(stays <= here)
    return number - stays


def _previous(board: Board, previous: Placement | None) -> Expr:
    if previous is None:
        return 0
    there = {node.name for node in board.problem.nodes}
    seats = Counter((one.service, seat.node) for one, seat in previous.seats.items() if seat.node in there)
    known = [(name, node, number) for (name, node), number in sorted(seats.items()) if name in board.copies]
    return board.total(_left(board, name, node, min(number, board.copies[name])) for name, node, number in known)


def _cards(board: Board, groups: Sequence[GroupBoard], previous: Placement | None) -> Expr:
    had = Counter(
        (one.service, seat.node, card)
        for one, seat in (previous.seats if previous else {}).items()
        for card in seat.gpus
    )
    parts = []
    for found in groups if had else ():
        for name, here in found.users().items():
            number = sum(had[name, found.group.node, card] for card in found.group.cards)
            parts += [_short(board, here, number)] if number else []
    return board.total(parts)


def _preference(board: Board) -> Expr:
    parts = []
    for service in board.problem.services:
        for node in board.problem.nodes:
            weight = _dislike(service, node)
            if weight:
                parts.append(weight * board.at(service.name, node.name))
        parts.append(_ASKED * _skew(board, service))
    return board.total(parts)


def _dislike(service: Service, node: Node) -> int:
    unmet = sum(node.labels.get(label) not in values for label, values in service.placement.prefer.items())
    soft_taint = any(mark.effect == "PreferNoSchedule" for mark in node.taints)
    idle_cards = service.gpu is None and bool(node.gpus or node.taints)
    return _ASKED * unmet + _IMPLIED * (idle_cards + soft_taint)


def _skew(board: Board, service: Service) -> Expr:
    """Return the copies in the fullest domain of a soft spreading rule."""
    rule, copies = service.placement, board.copies[service.name]
    if not (rule.spread and rule.spread_soft) or copies == 1:
        return 0
    open_nodes = [node.name for node in board.problem.nodes if (service.name, node.name) in board.count]
    fullest = board.integer(copies, f"{service.name} in one domain")
    for members in domains_of(board.problem.fleet, rule.spread, open_nodes).values():
        board.model.add(fullest >= board.total(board.at(service.name, node) for node in members))
    return fullest


def _balance(board: Board) -> Expr:
    """Return the fullest machine's share in whole percent: charges and reserve of what it has."""
    fullest = board.integer(2 * PER_CENT, "fullest")
    for node, share in _shares(board):
        board.model.add(fullest * node[1] >= PER_CENT * share)
    return fullest


def _evenness(board: Board) -> Expr:
    """Return, summed over machines and resources, how far each stands above every eighth of it."""
    parts = []
    for (name, whole), share in _shares(board):
        for step in range(8):
            above = board.integer(2 * PER_CENT, f"{name} above {step}/8")
            board.model.add(above * whole >= PER_CENT * share - PER_CENT * step * whole // 8)
            parts.append(above)
    return board.total(parts)


def _shares(board: Board) -> Iterator[tuple[tuple[str, int], Expr]]:
    """Yield (node and resource, capacity) with what charges and reserve fill of it, where that can change."""
    for node in board.problem.nodes:
        for resource in (CPUS, MEMORY):
            whole, filled = _coarse(resource, node.has(resource)), _filled(board, node, resource)
            if whole and not isinstance(filled, int):
                yield (f"{node.name} {resource}", whole), filled


def _filled(board: Board, node: Node, resource: str) -> Expr:
    """Return charges and reserve in coarse units, so that a hundred times as much stays within 64 bits."""
    bill = board.problem.bill(node, resource).rounded(_unit(resource))
    used = charges(board, bill, lambda name: board.at(name, node.name), node.name, 1)
    return used + _coarse(resource, node.reserved(resource))


def _unit(resource: str) -> int:
    return MIB if resource == MEMORY else 1


def _coarse(resource: str, amount: int) -> int:
    return -(-amount // _unit(resource))


def _order(board: Board) -> Expr:
    rank = {node.name: position for position, node in enumerate(board.problem.nodes)}
    early = {name: len(board.copies) - position for position, name in enumerate(board.copies)}
    free = [(key, number) for key, number in board.count.items() if not isinstance(number, int)]
    parts = [early[name] * rank[node] * number for (name, node), number in free]
    return board.total(parts)
