"""The cards on the board: whole cards and slices by number, shared VRAM card by card."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bayplan.analyse import cards
from bayplan.place.exact.post_bills import within

if TYPE_CHECKING:
    from bayplan.analyse.cards import Group
    from bayplan.model.fleet import Node
    from bayplan.model.names import Name
    from bayplan.model.service import GpuAsk, Service
    from bayplan.place.exact.board import Board, Expr


@dataclass(slots=True)
class GroupBoard:
    """The variables of one group of cards: who has whole cards, slices, and a share of which card."""

    group: Group
    whole: dict[Name, Expr] = field(default_factory=dict)
    slices: dict[Name, Expr] = field(default_factory=dict)
    shares: list[dict[Name, Expr]] = field(default_factory=list)
    opened: list[Expr] = field(default_factory=list)

    def users(self) -> dict[Name, Expr]:
        """Return service → how many cards, slices and shares of cards it has here."""
        names = sorted({*self.whole, *self.slices, *(name for card in self.shares for name in card)})
        return {name: sum(card.get(name, 0) for card in (self.whole, self.slices, *self.shares)) for name in names}


def post_cards(board: Board, node: Node) -> list[GroupBoard]:
    """Add: every copy on the node finds its cards there. Returns the variables, none where nobody asks."""
    problem = board.problem
    asking = [
        (one, ask) for one in problem.services if (ask := problem.ask(one)) and (one.name, node.name) in board.count
    ]
    if not asking or ("gpus", node.name, "") in problem.dropped:
        return []
    groups = [_group(board, group, asking) for group in cards.groups(node, single=bool(problem.card_rules))]
    for service, ask in asking:
        _serve(board, node.name, service, ask, groups)
    _leave_open(board, node.name, asking, groups)
    _keep_pairs(board, groups)
    return groups


def _group(board: Board, group: Group, asking: list[tuple[Service, GpuAsk]]) -> GroupBoard:
    found = GroupBoard(group)
    number = len(group.cards)
    suited = [(one, ask) for one, ask in asking if not cards.unsuited(ask, group)]
    for service, ask in suited:
        where = f"{service.name}@{group.node}.{group.cards[0]}"
        if ask.count:
            found.whole[service.name] = board.integer(number, f"{where} whole")
        elif ask.profile:
            most = min(number * group.slices[ask.profile], board.copies[service.name])
            found.slices[service.name] = board.integer(most, f"{where} slices")
    _share(board, found, [service for service, ask in suited if ask.memory])
    _bound_slices(board, found, suited)
    return found


def _bound_slices(board: Board, found: GroupBoard, suited: list[tuple[Service, GpuAsk]]) -> None:
    for profile, number in sorted(found.group.slices.items()):
        takers = [found.slices[one.name] for one, ask in suited if ask.profile == profile]
        board.model.add(board.total(takers) <= number * len(found.group.cards))


def _share(board: Board, found: GroupBoard, sharing: list[Service]) -> None:
    """Open as many cards as could be needed, the first ones first: they are alike, so no other choice is lost."""
    copies = sum(board.copies[one.name] for one in sharing)
    for position in range(min(len(found.group.cards), copies)):
        where = f"{found.group.node}.{found.group.cards[position]}"
        shares = {one.name: board.integer(board.copies[one.name], f"{one.name}@{where}") for one in sharing}
        opened = board.integer(1, f"{where} shared")
        for name, number in shares.items():
            board.model.add(number <= board.copies[name] * opened)
        within(board, board.problem.card_bill(sharing), found.group.room, shares.__getitem__, where)
        if found.opened:
            board.model.add(opened <= found.opened[-1])
        found.shares.append(shares)
        found.opened.append(opened)
    board.model.add(board.total([*found.whole.values(), *found.opened]) <= len(found.group.cards))


def _serve(board: Board, node: str, service: Service, ask: GpuAsk, groups: list[GroupBoard]) -> None:
    here, name = board.at(service.name, node), service.name
    if ask.count:
        board.model.add(board.total(one.whole[name] for one in groups if name in one.whole) == ask.count * here)
    elif ask.profile:
        board.model.add(board.total(one.slices[name] for one in groups if name in one.slices) == here)
    elif ask.memory:
        shares = [card[name] for one in groups for card in one.shares if name in card]
        board.model.add(board.total(shares) == here)


def _leave_open(board: Board, node: str, asking: list[tuple[Service, GpuAsk]], groups: list[GroupBoard]) -> None:
    """Add: who only asks for access finds cards that nobody has whole."""
    uncut = [one for one in groups if not one.group.slices]
    number = sum(len(one.group.cards) for one in uncut)
    whole = board.total(taken for one in uncut for taken in one.whole.values())
    for service, ask in asking:
        if not (ask.count or ask.profile or ask.memory):
            wanted = number if ask.access < 0 else cards.cards_needed(ask)
            board.model.add(whole + wanted * board.present(service.name, node) <= number)


def _keep_pairs(board: Board, groups: list[GroupBoard]) -> None:
    """Add the affinities of single cards; with such rules each group is one card."""
    for rule in board.problem.card_rules:
        if board.problem.counts(rule.lines):
            for found in groups:
                one, other = _on_card(found, rule.one), _on_card(found, rule.other)
                most = board.copies[rule.one]
                if not rule.apart:
                    board.model.add(one <= most * other)
                elif rule.one == rule.other:
                    board.model.add(one <= 1)
                else:
                    _never_both(board, (one, most), (other, board.copies[rule.other]))


def _on_card(found: GroupBoard, name: Name) -> Expr:
    return sum(card.get(name, 0) for card in (found.slices, *found.shares))


def _never_both(board: Board, one: tuple[Expr, int], other: tuple[Expr, int]) -> None:
    first = board.integer(1, "apart")
    board.model.add(one[0] <= one[1] * first)
    board.model.add(other[0] <= other[1] * (1 - first))
