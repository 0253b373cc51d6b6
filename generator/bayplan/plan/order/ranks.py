"""The order that is tried first: who frees room before who fills it, who is needed before who needs it, small first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bayplan.model.quantity import MEMORY
from bayplan.plan.order.actions import PHASES, Action, at
from bayplan.plan.order.needs import in_order
from bayplan.plan.steps import Act

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bayplan.model.names import Name
    from bayplan.plan.order.books import Books

SHRINKS, FIRST, GROWS = range(3)


def ranked(books: Books, found: Iterable[Action], needs: Mapping[Name, frozenset[Name]]) -> None:
    """Give every action its rank among those of its phase."""
    for phase in range(len(PHASES)):
        some = [one for one in found if one.phase == phase]
        for rank, one in enumerate(_ordered(books, phase, some, needs)):
            one.rank = rank


def _ordered(books: Books, phase: int, some: list[Action], needs: Mapping[Name, frozenset[Name]]) -> list[Action]:
    if phase == at(Act.RESIZE):
        return sorted(some, key=lambda one: (resize_class(books, one), one.name, one.node))
    of: dict[Name, list[Action]] = {}
    for one in some:
        for name in one.names:
            of.setdefault(name, []).append(one)

    def needed(one: Action) -> list[Action]:
        return [other for name in one.names for need in needs.get(name, ()) for other in of.get(need, ())]

    if phase == at(Act.MOVE):
        return in_order(some, needed, lambda one: (size(books, one), one.name, one.node, one.target))
    order = in_order(some, needed, lambda one: (one.name, one.node))
    # Who depends on others stops before them.
    return order[::-1] if phase in (at(Act.REST), at(Act.STOP)) else order


def resize_class(books: Books, one: Action) -> int:
    """Return whether a resize frees room, names a limit for the first time, or fills."""
    charges = books.charges
    stand = books.world[one.node][one.name]
    after = replace(stand, form=replace(stand.form, sized=True))
    old, new = (charges.parts(one.node, one.name, side) for side in (stand, after))
    was, now = (charges.unbounded(one.node, one.name, side) for side in (stand, after))
    sums = {key: [sum(side[key].amounts) if key in side else 0 for side in (old, new)] for key in {*old, *new}}
    if now - was or any(after > before for key, (before, after) in sums.items() if key not in was):
        return GROWS
    return FIRST if was - now else SHRINKS


def size(books: Books, one: Action) -> tuple[int, int]:
    """Return the memory that a move takes on its target, and the bytes that it carries."""
    memory = 0
    for node, name, stand in one.puts(books.scene, books.world):
        if node == one.target and stand is not None:
            part = books.charges.parts(node, name, stand).get(MEMORY)
            memory += sum(part.amounts) if part else 0
    return memory, sum(change.bytes_moved for change, _ in one.movers)
