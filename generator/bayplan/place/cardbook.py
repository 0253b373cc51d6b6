"""The cards of a node, checked by arithmetic: who has which card, and whether that holds."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bayplan.analyse import cards
from bayplan.model.units import show_bytes
from bayplan.place.constraints import lines
from bayplan.place.constraints.rules import Broken
from bayplan.place.exact.seats import only_access

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bayplan.analyse.cards import Group
    from bayplan.model.fleet import Gpu, Node
    from bayplan.model.names import Instance, Name
    from bayplan.model.placement import Seat
    from bayplan.model.service import GpuAsk, Service
    from bayplan.place.constraints.problem import Problem

Hands = tuple[tuple["Service", "GpuAsk", tuple[int, ...]], ...]
"""Copies on a node that ask for cards, each with the indices it was given."""


def broken_cards(problem: Problem, node: Node, seats: Mapping[Instance, Seat]) -> Iterator[Broken]:
    """Yield what the seats on a node break about its cards."""
    hands = _hands(problem, node, seats)
    single = {group.cards[0]: group for group in cards.groups(node, single=True)}
    for service, ask, given in hands:
        yield from _unfit(node, service, ask, given, single)
    for index, group in sorted(single.items()):
        on_card = tuple((service, ask, given) for service, ask, given in hands if index in given)
        yield from _crowded(problem, node, group, on_card)
    yield from _pairs(problem, node, hands)


def _hands(problem: Problem, node: Node, seats: Mapping[Instance, Seat]) -> Hands:
    if ("gpus", node.name, "") in problem.dropped:
        return ()
    services = {service.name: service for service in problem.services}
    found = []
    for one, seat in sorted(seats.items()):
        service = services.get(one.service)
        ask = problem.ask(service) if service else None
        if service and ask and seat.node == node.name:
            found.append((service, ask, seat.gpus))
    return tuple(found)


def _unfit(
    node: Node, service: Service, ask: GpuAsk, given: tuple[int, ...], single: Mapping[int, Group]
) -> Iterator[Broken]:
    line = (lines.gpu_demand(service, ask), lines.cards(node))
    wanted = sum(not group.slices for group in single.values()) if ask.access < 0 else cards.cards_needed(ask)
    if len(set(given)) != wanted or not set(given) <= set(single):
        yield Broken(
            "gpu/cards", line, f"{service.name} has {len(set(given))} cards on {node.name}, it asks for {wanted}"
        )
    for index in sorted(set(given) & set(single)):
        reason = cards.unsuited(ask, single[index])
        if reason:
            yield Broken("gpu/unfit", line, f"card {index} of {node.name} does not suit {service.name}: {reason}")


def _crowded(problem: Problem, node: Node, group: Group, on_card: Hands) -> Iterator[Broken]:
    where = f"card {group.cards[0]} of {node.name}"
    asks = tuple(dict.fromkeys(lines.gpu_demand(service, ask) for service, ask, _ in on_card))
    wholes = [service for service, ask, _ in on_card if ask.count]
    if wholes and len(on_card) > 1:
        names = ", ".join(str(service.name) for service, *_ in on_card)
        yield Broken("gpu/given-twice", (*asks, lines.cards(node)), f"{where} is given whole and shared: {names}")
    for profile, number in sorted(Counter(ask.profile for _, ask, _ in on_card if ask.profile).items()):
        if number > group.slices.get(profile, 0):
            message = f"{where} has {group.slices.get(profile, 0)} slices {profile}, {number} are given"
            yield Broken("gpu/given-twice", (*asks, lines.cards(node)), message)
    yield from _over(problem, node, group, on_card)


def _over(problem: Problem, node: Node, group: Group, on_card: Hands) -> Iterator[Broken]:
    sharing = [(service, ask) for service, ask, _ in on_card if ask.memory]
    numbers: Counter[Name] = Counter(service.name for service, _ in sharing)
    bill = problem.card_bill({service.name: service for service, _ in sharing}.values())
    charged = bill.charged(lambda name: numbers[name])
    if charged > group.room:
        asks = tuple(dict.fromkeys(lines.gpu_demand(service, ask) for service, ask in sharing))
        message = f"card {group.cards[0]} of {node.name} is over its line"
        yield Broken("gpu/over-line", (*asks, lines.cards(node)), message, card_sum(node, group.sample, charged))


def card_sum(node: Node, card: Gpu, charged: int) -> str:
    """Return `17 GiB + reserve 3 GiB > 21.6 GiB of 24 GiB` with the right sign."""
    kept = cards.reserve(node) if cards.is_first(node, card.index) else 0
    limit = cards.line(node, card)
    sign = ">" if charged + kept > limit else "<="
    reserve = f" + reserve {show_bytes(kept)}" if kept else ""
    return f"{show_bytes(charged)}{reserve} {sign} {show_bytes(limit)} of {show_bytes(card.memory)}"


def _pairs(problem: Problem, node: Node, hands: Hands) -> Iterator[Broken]:
    for rule in problem.card_rules:
        if problem.counts(rule.lines):
            mine = [
                given
                for service, ask, given in hands
                if service.name == rule.one and not (ask.count or only_access(ask))
            ]
            others = [
                given
                for service, ask, given in hands
                if service.name == rule.other and not (ask.count or only_access(ask))
            ]
            theirs = {index for given in others for index in given}
            repeated = rule.one == rule.other and len({g for given in mine for g in given}) < len(mine)
            shared = rule.one != rule.other and any(set(given) & theirs for given in mine)
            alone = any(not set(given) & theirs for given in mine)
            if (repeated or shared) if rule.apart else alone:
                message = f"{rule.one} and {rule.other} on the cards of {node.name}: {rule.why}"
                yield Broken("gpu/pair", rule.lines, message)
