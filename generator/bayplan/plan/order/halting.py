"""Circles that no order breaks: a service is stopped for a while, the cheapest ones, and as few as possible."""

from __future__ import annotations

from itertools import chain, combinations
from typing import TYPE_CHECKING

from bayplan.plan.order.actions import Action, at
from bayplan.plan.order.ranks import size
from bayplan.plan.steps import Act

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bayplan.plan.order.books import Books
    from bayplan.plan.order.search import Search

_FEW = 6
"""Moves of which every set is tried; of more, one after the other is stopped as long as nothing else can be done."""


def halting(search: Search, actions: Sequence[Action]) -> bool:
    """Do all actions, some of the moves with a stop before others have moved; if that cannot be, do none of them."""
    moves = [one for one in actions if one.act is Act.MOVE and _leaves(search.books, one)]
    cheapest = sorted(moves, key=lambda one: (*reversed(size(search.books, one)), one.name, one.node))
    if len(cheapest) > _FEW:
        return _one_by_one(search, actions, cheapest)
    sets = chain.from_iterable(combinations(cheapest, many) for many in range(1, len(cheapest) + 1))
    return any(_halted(search, actions, some) for some in sets)


def _halted(search: Search, actions: Sequence[Action], some: Sequence[Action]) -> bool:
    stops = [_stop(one) for one in some]
    search.again()
    if search.exhaust([*actions, *stops]):
        return True
    for one, stop in zip(some, stops, strict=True):
        one.hard.discard(stop)
    return False


def _one_by_one(search: Search, actions: Sequence[Action], cheapest: Sequence[Action]) -> bool:
    left, running = list(actions), list(cheapest)
    while left:
        done = next((one for one in left if search.ready(one) and search.do(one) is not None), None)
        if done is not None:
            left.remove(done)
            running = [one for one in running if one is not done]
            continue
        if not running:
            return False
        first = next((one for one in running if _helps(search, one, left)), running[0])
        running.remove(first)
        search.do(_stop(first))
    return True


def _helps(search: Search, one: Action, left: Sequence[Action]) -> bool:
    """Whether somebody else can move once this one is stopped."""
    stop = _stop(one)
    one.hard.discard(stop)
    undos = search.do(stop)
    free = any(
        search.books.fits(other.puts(search.books.scene, search.books.world)) for other in left if other is not one
    )
    search.undo(undos or [])
    return free


def _leaves(books: Books, move: Action) -> bool:
    """Whether all copies leave the source: only then can a stop free it."""
    return all(stand is None for node, _, stand in move.puts(books.scene, books.world) if node == move.node)


def _stop(move: Action) -> Action:
    stop = Action(Act.STOP, at(Act.MOVE), move.name, move.node, movers=move.movers, rank=move.rank, stop=True)
    move.hard.add(stop)
    return stop
