"""The bills on the board: what stands on a node, or on a card, fits its room."""

from __future__ import annotations

from collections.abc import Callable
from math import gcd
from typing import TYPE_CHECKING

from bayplan.model.names import Name
from bayplan.place.exact.board import Board, Expr

if TYPE_CHECKING:
    from bayplan.model.fleet import Node
    from bayplan.place.constraints.bill import Bill, PoolBill, VolumeBill

Copies = Callable[[Name], Expr]
"""Gives the number of copies of a service where a bill is due."""


def post_capacity(board: Board, node: Node, resource: str) -> None:
    """Add: the charges against a resource of a node stay within its room."""
    room = board.problem.room(node, resource)
    if room is not None:
        within(board, board.problem.bill(node, resource), room, lambda name: board.at(name, node.name), node.name)


def within(board: Board, bill: Bill, room: int, copies: Copies, where: str) -> None:
    """Add: a bill stays within the room, both counted in the largest unit that keeps every amount whole."""
    unit = gcd(*bill.amounts()) or 1
    charged = charges(board, bill, copies, where, unit)
    board.model.add(charged <= room // unit)


def charges(board: Board, bill: Bill, copies: Copies, where: str, unit: int) -> Expr:
    """Return a bill as an expression, in whole units; `copies` gives the number of a service where the bill is due."""
    parts = [amount // unit * copies(name) for name, amount in bill.plain]
    parts += [_pool(board, one, copies, where, unit) for one in bill.pools]
    for members in bill.turns:
        largest = board.integer(max(amount for _, amount in members) // unit, f"turns {where}")
        for name, amount in members:
            here = _present_at(board, copies(name), board.copies[name], where)
            board.model.add(largest >= amount // unit * here)
        parts.append(largest)
    for volume in bill.volumes:
        parts.append(volume.size // unit * _volume(board, volume, copies, where))
    return board.total(parts)


def _present_at(board: Board, number: Expr, most: int, where: str) -> Expr:
    if isinstance(number, int):
        return min(1, number)
    if most == 1:
        return number
    here = board.integer(1, where)
    board.model.add(number <= most * here)
    return here


def _volume(board: Board, volume: VolumeBill, copies: Copies, where: str) -> Expr:
    numbers = [copies(user) for user in volume.users]
    if all(isinstance(number, int) for number in numbers):
        return board.total(numbers) if volume.per_copy else min(1, board.total(numbers))
    if volume.per_copy:
        return board.total(numbers)
    here = board.integer(1, f"volume {volume.name} {where}")
    for user, number in zip(volume.users, numbers, strict=True):
        board.model.add(number <= board.copies[user] * here)
    return here


def _pool(board: Board, bill: PoolBill, copies: Copies, where: str, unit: int) -> Expr:
    """Return min(sum, quota, largest `concurrent`) as a variable.

    The k largest of some amounts sum to the minimum over all thresholds t of k*t + Σ max(0, amount - t): at the k-th
    largest the two are equal, elsewhere the bound is larger. Only the amounts themselves and 0 need to be tried.
    """
    everything = board.total(amount // unit * copies(name) for name, amount in bill.members)
    most = sum(amount // unit * board.copies[name] for name, amount in bill.members)
    bounds = [everything]
    running = bill.pool.concurrent
    if running and running < sum(board.copies[name] for name, _ in bill.members):
        for least in sorted({amount // unit for _, amount in bill.members}):
            above = [(amount // unit - least) * copies(name) for name, amount in bill.members if amount // unit > least]
            bounds.append(running * least + board.total(above))
    if bill.quota is not None and bill.quota // unit < most:
        bounds.append(bill.quota // unit)
    if all(isinstance(bound, int) for bound in bounds):
        return min(bounds)
    if len(bounds) == 1:
        return everything
    charged = board.integer(most, f"pool {bill.pool.name} {where}")
    board.model.add_min_equality(charged, bounds)
    return charged
