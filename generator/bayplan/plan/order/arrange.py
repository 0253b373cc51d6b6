"""One stage in order: as one would do it, else in any way that is safe, else with a service stopped for a while."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayplan.plan.order.books import Books
from bayplan.plan.order.search import Search
from bayplan.plan.steps import Act

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bayplan.plan.order.actions import Action
    from bayplan.plan.order.books import Short
    from bayplan.plan.order.charges import Charges
    from bayplan.plan.order.scene import World


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
    for soft, lenient, stops in _ways(charges, world, actions):
        search = Search(Books(charges, world, lenient=lenient), soft)
        if search.in_parts(actions, stops=stops):
            return Arranged(tuple(search.done))
    return Arranged(who=next((one for one in actions if one.act is Act.MOVE), actions[0]))


def _ways(charges: Charges, world: World, actions: Sequence[Action]) -> Iterator[tuple[bool, bool, bool]]:
    """Yield how to look, from the strictest way on; what makes no difference is left out.

    First everything that should be is kept to. Then rows that are over their line may be filled again, never beyond
    what they were. Then what should come before need not. Last, services may be stopped.
    """
    books = Books(charges, world)
    softs = (True, False) if any(one.soft for one in actions) else (True,)
    over = any(books.over_line(node) for node in world) or any(one.act is Act.RESIZE for one in actions)
    lenients = (False, True) if over else (False,)
    for stops in (False, True):
        for soft in softs:
            for lenient in lenients:
                yield soft, lenient, stops


def _end(charges: Charges, world: World, actions: Sequence[Action]) -> Short | None:
    """Return what is wrong when all is done; then no order helps."""
    before, after = Books(charges, world, lenient=True), Books(charges, world, lenient=True)
    for one in sorted(actions, key=lambda one: (bool(one.hard), one.phase, one.rank)):
        after.force(one.puts(after.scene, after.world))
    return after.over(before)


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
