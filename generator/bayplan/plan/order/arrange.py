"""One stage in order: as one would do it, else in any way that is safe, else with a service stopped for a while."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, combinations, islice
from typing import TYPE_CHECKING

from bayplan.plan.order.actions import Action, at
from bayplan.plan.order.books import Books
from bayplan.plan.order.ranks import size
from bayplan.plan.order.search import Search
from bayplan.plan.steps import Act

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bayplan.plan.order.books import Short
    from bayplan.plan.order.charges import Charges
    from bayplan.plan.order.scene import World

_MOST_SETS = 64
_TRIES = 500


@dataclass(frozen=True, slots=True)
class Arranged:
    """The actions of a stage in order; None if there is no order, with what is wrong."""

    actions: tuple[Action, ...] | None = None
    short: Short | None = None
    who: Action | None = None


def arrange(charges: Charges, world: World, actions: Sequence[Action]) -> Arranged:
    """Return the actions of a stage in an order that is safe.

    Args:
        charges: of the scene.
        world: as it is when the stage begins.
        actions: in the order that is tried first.
    """
    search = Search(Books(charges, world))
    if not search.by_phase(actions):
        return Arranged(tuple(search.done))
    end = _end(charges, world, actions)
    if end is not None:
        return Arranged(short=end, who=_largest(charges, world, actions, end))
    for soft, lenient in ((True, False), (True, True), (False, False), (False, True)):
        search = Search(Books(charges, world, lenient=lenient), soft)
        if search.in_parts(actions):
            return Arranged(tuple(search.done))
    return _with_stops(charges, world, actions)


def _end(charges: Charges, world: World, actions: Sequence[Action]) -> Short | None:
    """Return what is wrong when all is done; then no order helps."""
    before, after = Books(charges, world, lenient=True), Books(charges, world, lenient=True)
    for one in sorted(actions, key=lambda one: (bool(one.hard), one.phase, one.rank)):
        after.force(one.puts(after.scene, after.world))
    return after.over(before)


def _with_stops(charges: Charges, world: World, actions: Sequence[Action]) -> Arranged:
    """Return an order in which as few moves as possible begin with a stop, the cheapest ones."""
    greedy = Search(Books(charges, world, lenient=True), soft=False)
    stuck = [one for one in greedy.by_phase(actions) if one.act is Act.MOVE]
    moves = [one for one in actions if one.act is Act.MOVE]
    for some in chain(islice(_few(greedy.books, world, stuck), _MOST_SETS), (tuple(stuck), tuple(moves))):
        for lenient in (False, True):
            found = _stopped(Books(charges, world, lenient=lenient), actions, some)
            if found:
                return Arranged(found)
    return Arranged(who=stuck[0] if stuck else actions[0])


def _few(books: Books, world: World, stuck: Sequence[Action]) -> Iterator[tuple[Action, ...]]:
    """Yield sets of moves to begin with a stop, the smallest sets and the cheapest moves first."""
    before = Books(books.charges, world)
    cheapest = sorted(stuck, key=lambda one: (*reversed(size(before, one)), one.name, one.node))
    return chain.from_iterable(combinations(cheapest, many) for many in range(1, len(cheapest)))


def _stopped(books: Books, actions: Sequence[Action], some: Sequence[Action]) -> tuple[Action, ...]:
    """Return an order in which some moves begin with a stop; none if there is none."""
    halted = [one for one in some if _whole(books, one)]
    stops = [_halt(one) for one in halted]
    search = Search(books, soft=False, tries=len(actions) ** 2 + _TRIES)
    found = search.in_parts([*actions, *stops])
    if not found:
        for one, stop in zip(halted, stops, strict=True):
            one.hard.discard(stop)
    return tuple(search.done) if found else ()


def _whole(books: Books, move: Action) -> bool:
    """Whether all copies leave the source: only then can a stop free it."""
    return all(stand is None for node, _, stand in move.puts(books.scene, books.world) if node == move.node)


def _halt(move: Action) -> Action:
    stop = Action(Act.STOP, at(Act.MOVE), move.name, move.node, movers=move.movers, rank=move.rank, stop=True)
    move.hard.add(stop)
    return stop


def _largest(charges: Charges, world: World, actions: Sequence[Action], short: Short) -> Action | None:
    """Return the action that fills most of what is over its line at the end, or that takes what somebody has."""
    books = Books(charges, world)
    found: list[tuple[int, Action]] = []
    for one in actions:
        puts = one.puts(books.scene, books.world)
        if short.row is None:
            taking = any(
                stand and node == short.node and short.mark in books.marks_of(node, name, stand)
                for node, name, stand in puts
            )
            found.append((int(taking), one))
        else:
            found.append((books.adds(puts, short.node, short.row.resource), one))
    return max(found, key=lambda pair: pair[0], default=(0, None))[1]
