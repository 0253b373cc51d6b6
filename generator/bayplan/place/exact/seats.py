"""From numbers to seats: which copy stands where, and on which card. What can stay where it is, stays."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bayplan.analyse import cards
from bayplan.model.names import Instance, Name
from bayplan.model.placement import Placement, Seat

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.model.fleet import Node
    from bayplan.model.service import GpuAsk
    from bayplan.place.constraints.problem import Problem
    from bayplan.place.exact.solve import Answer, CardUse

Hands = dict[Name, list[tuple[int, ...]]]
"""Service → the cards of each of its copies on one node."""


def seats_of(problem: Problem, answer: Answer, previous: Placement | None) -> dict[Instance, Seat]:
    """Return a seat for every copy: first those that stand there today, then last time's, then by number."""
    found: dict[Instance, Seat] = {}
    last = previous.seats if previous else {}
    hands = {node.name: _hands(problem, answer, node, last) for node in problem.nodes}
    for service in problem.services:
        for one, node in _nodes(problem, service.name, dict(answer.counts.get(service.name, {})), last).items():
            found[one] = Seat(node, _pick(hands[node].get(service.name, []), last.get(one)))
    return found


def _pick(hands: list[tuple[int, ...]], last: Seat | None) -> tuple[int, ...]:
    """Take the cards that a copy had last time, or else the first ones."""
    if not hands:
        return ()
    return hands.pop(hands.index(last.gpus) if last and last.gpus in hands else 0)


def _nodes(problem: Problem, name: Name, left: dict[str, int], last: Mapping[Instance, Seat]) -> dict[Instance, str]:
    copies = [Instance(name, number) for number in range(1, problem.fleet.services[name].replicas.count + 1)]
    found: dict[Instance, str] = {}
    wishes = (dict(problem.fleet.standing), {one: seat.node for one, seat in last.items()})
    for wish in wishes:
        for one in copies:
            if one not in found and left.get(wish.get(one, ""), 0):
                found[one] = wish[one]
                left[wish[one]] -= 1
    free = [node for node, number in sorted(left.items()) for _ in range(number)]
    found.update(zip([one for one in copies if one not in found], free, strict=True))
    return dict(sorted(found.items()))


def _hands(problem: Problem, answer: Answer, node: Node, last: Mapping[Instance, Seat]) -> Hands:
    had = Counter((one.service, card) for one, seat in last.items() if seat.node == node.name for card in seat.gpus)
    found: Hands = {}
    whole: dict[Name, list[int]] = {}
    for use in (use for use in answer.cards if use.node == node.name):
        shared = _give_shares(use, had, found)
        _give_slices(problem, node, use, had, found)
        _give_whole(use, shared, had, whole)
    for name, indices in sorted(whole.items()):
        ask = problem.fleet.services[name].gpu
        size = max(1, ask.count) if ask else 1
        ordered = sorted(indices)
        found[name] = [tuple(ordered[start : start + size]) for start in range(0, len(ordered), size)]
    _give_access(problem, answer, node, {card for some in whole.values() for card in some}, found)
    return found


def _wanted(cards_left: list[int], names: list[Name], had: Counter[tuple[Name, int]]) -> list[int]:
    """Return cards with those first that the services had last time, and those last that others had.

    Cards of a group are alike.
    """

    def others(card: int) -> int:
        return sum(number for (name, index), number in had.items() if index == card and name not in names)

    return sorted(cards_left, key=lambda card: (-sum(had[name, card] for name in names), others(card), card))


def _give_shares(use: CardUse, had: Counter[tuple[Name, int]], found: Hands) -> set[int]:
    free = list(use.cards)
    for users in filter(None, use.shares):
        card = _wanted(free, sorted(users), had)[0]
        free.remove(card)
        for name, number in sorted(users.items()):
            found.setdefault(name, []).extend([(card,)] * number)
    return set(use.cards) - set(free)


def _give_whole(use: CardUse, shared: set[int], had: Counter[tuple[Name, int]], whole: dict[Name, list[int]]) -> None:
    free = [card for card in use.cards if card not in shared]
    for name, number in sorted(use.whole.items()):
        given = _wanted(free, [name], had)[:number]
        whole.setdefault(name, []).extend(given)
        free = [card for card in free if card not in given]


def _give_slices(problem: Problem, node: Node, use: CardUse, had: Counter[tuple[Name, int]], found: Hands) -> None:
    sample = next(card for card in node.gpus if card.index == use.cards[0])
    free = [(card, profile) for card in use.cards for profile in sorted(sample.mig)]
    for name, number in sorted(use.slices.items()):
        ask = problem.fleet.services[name].gpu
        fitting = [one for one in free if ask and one[1] == ask.profile]
        fitting.sort(key=lambda one: (-had[name, one[0]], one[0]))
        for one in fitting[:number]:
            found.setdefault(name, []).append((one[0],))
            free.remove(one)


def _give_access(problem: Problem, answer: Answer, node: Node, taken: set[int], found: Hands) -> None:
    free = sorted(card.index for card in node.gpus if not card.mig and card.index not in taken)
    for service in problem.services:
        ask = problem.ask(service)
        number = answer.counts.get(service.name, {}).get(node.name, 0)
        if ask and number and only_access(ask):
            wanted = len(free) if ask.access < 0 else cards.cards_needed(ask)
            named = [card.index for card in node.gpus if {str(card.index), card.uuid} & set(ask.device_ids)]
            given = named if len(named) == wanted and set(named) <= set(free) else free[:wanted]
            found[service.name] = [tuple(given)] * number


def only_access(ask: GpuAsk) -> bool:
    """Whether an ask names neither VRAM nor whole cards nor a slice."""
    return not (ask.memory or ask.count or ask.profile)


def counts_of(seats: Mapping[Instance, Seat]) -> dict[Name, dict[str, int]]:
    """Return service → node → number of copies."""
    found: dict[Name, dict[str, int]] = {}
    for one, seat in sorted(seats.items()):
        here = found.setdefault(one.service, {})
        here[seat.node] = here.get(seat.node, 0) + 1
    return found
