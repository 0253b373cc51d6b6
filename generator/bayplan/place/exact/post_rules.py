"""The hard rules on the board. Refusals need no constraint: there is no variable where a service is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayplan.place.constraints.rules import Apart, Near, NodeQuota, Spread, Stay, Together

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bayplan.place.constraints.rules import Rule
    from bayplan.place.exact.board import Board


def post_rule(board: Board, rule: Rule) -> None:
    """Add the constraints of one hard rule."""
    _POSTS[type(rule)](board, rule)


def _stay(board: Board, rule: Stay) -> None:
    board.model.add(board.at(rule.service, rule.node) >= rule.copies)


def _together(board: Board, rule: Together) -> None:
    """All copies of everybody stand where the first one is."""
    first, *others = sorted(rule.users)
    for node in board.nodes:
        chosen = board.present(first, node)
        for user in (first, *others):
            if user != first or board.copies[user] > 1:
                board.model.add(board.at(user, node) == board.copies[user] * chosen)


def _near(board: Board, rule: Near) -> None:
    for node in board.nodes:
        board.model.add(board.at(rule.service, node) <= board.copies[rule.service] * board.at(rule.to, node))


def _apart(board: Board, rule: Apart) -> None:
    for node in board.nodes:
        if rule.one == rule.other:
            board.model.add(board.at(rule.one, node) <= 1)
        else:
            board.model.add(board.present(rule.one, node) + board.present(rule.other, node) <= 1)


def _spread(board: Board, rule: Spread) -> None:
    for members in rule.domains.values():
        here = board.total(board.at(rule.service, node) for node in members)
        board.model.add(here >= rule.least)
        board.model.add(here <= rule.most)


def _quota(board: Board, rule: NodeQuota) -> None:
    for node in rule.nodes:
        board.model.add(board.total(amount * board.at(name, node) for name, amount in rule.members) <= rule.quota)


_POSTS: Mapping[type, Callable[[Board, Any], None]] = {
    Stay: _stay,
    Together: _together,
    Near: _near,
    Apart: _apart,
    Spread: _spread,
    NodeQuota: _quota,
}
