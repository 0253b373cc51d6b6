"""Orders of actions: the first that is tried, then others, then some with a temporary stop.

What has been done leaves the same world behind in whatever order it was done. So a set of actions that cannot be
finished once can never be finished, and is not tried again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bayplan.plan.order.actions import PHASES, Action, at
from bayplan.plan.order.halting import halting
from bayplan.plan.steps import Act

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bayplan.plan.order.books import Books, Undo

MOST = 10_000
"""Actions that are tried where few stand in each other's way: enough to try every order of them."""
SOME = 1_000
"""Actions that are tried where many do; after that a stop is cheaper than to look on."""
FEW = 12
DEEPEST = 400
"""Of more actions than that, not even some orders are tried."""


@dataclass(slots=True)
class Search:
    """One way to look for an order: the books that it keeps, and which wishes it respects.

    Attributes:
        books: of the world as it is when the stage begins; used up by the search.
        soft: whether what should come before really must.
        tries: how many actions may still be tried.
        done: the order, as far as it goes.
    """

    books: Books
    soft: bool = True
    tries: int = MOST
    done: list[Action] = field(default_factory=list)
    _did: set[Action] = field(default_factory=set)
    _dead: set[frozenset[Action]] = field(default_factory=set)

    def ready(self, one: Action) -> bool:
        """Whether all that comes before an action is done."""
        return one.hard <= self._did and (not self.soft or one.soft <= self._did)

    def do(self, one: Action) -> list[Undo] | None:
        """Do an action if it can be done now, and return how to take it back."""
        undos, short = self.books.attempt(one.puts(self.books.scene, self.books.world))
        if short is not None:
            return None
        self._keep(one)
        return undos

    def _keep(self, one: Action) -> None:
        self.done.append(one)
        self._did.add(one)

    def undo(self, undos: Iterable[Undo]) -> None:
        """Take back what was done last."""
        self._did.discard(self.done.pop())
        self.books.back(undos)

    def again(self) -> None:
        """Begin to look anew: with a stop, sets of actions may be finished that could not be."""
        self._dead.clear()
        self.tries = MOST

    def by_phase(self, actions: Iterable[Action]) -> list[Action]:
        """Do what can be done, phase after phase, again and again; return what is left."""
        left = list(actions)
        before = -1
        while left and len(self.done) != before:
            before = len(self.done)
            for phase in range(len(PHASES)):
                if phase == at(Act.MOVE):
                    left = self._moves(left)
                else:
                    left = [
                        one for one in left if one.phase != phase or not (self.ready(one) and self.do(one) is not None)
                    ]
        return left

    def _moves(self, left: list[Action]) -> list[Action]:
        """Do what moves can be done: after each the first is tried again, as it may fit now."""
        while True:
            moves = (one for one in left if one.phase == at(Act.MOVE))
            done = next((one for one in moves if self.ready(one) and self.do(one) is not None), None)
            if done is None:
                return left
            left = [one for one in left if one is not done]

    def in_parts(self, actions: Iterable[Action], *, stops: bool = False) -> bool:
        """Do all actions: who only frees first, who only fills last, the others in any order that is possible.

        Args:
            actions: all of a stage.
            stops: whether a service may be stopped for a while, where there is no other way.
        """
        some = list(actions)
        effects = {one: self.books.effect(one.puts(self.books.scene, self.books.world)) for one in some}
        late = self.by_phase(one for one in some if not effects[one][0])
        between = self._harmless_first([one for one in some if effects[one] == (True, True)])
        late += [one for one in some if effects[one] == (True, False)]
        for part in components(between):
            self.tries = MOST if len(part) <= FEW else SOME
            if not (self.exhaust(part) or (stops and halting(self, part))):
                return False
        return not self.by_phase(late)

    def _harmless_first(self, actions: list[Action]) -> list[Action]:
        """Do the moves that stand in nobody's way: all that comes fits beside them though nothing leaves."""
        books = self.books
        adds = {one: _growth(books, one) for one in actions}
        coming: Counter[tuple[str, str]] = Counter()
        for more in adds.values():
            coming.update(more)

        def fits(one: Action) -> bool:
            return all(
                books.bars(node)[resource] + coming[node, resource] <= books.charges.row(node, resource).line
                for node, resource in adds[one]
            )

        left, before = list(actions), -1
        while len(left) != before:
            before = len(left)
            for one in tuple(left):
                if one.act is Act.MOVE and self.ready(one) and fits(one) and self.do(one) is not None:
                    coming.subtract(adds[one])
                    left.remove(one)
        return left

    def exhaust(self, actions: Sequence[Action]) -> bool:
        """Do all actions in whatever order is possible; if none is, do none of them."""
        left = frozenset(actions)
        if not left:
            return True
        if left in self._dead or self.tries <= 0 or len(left) > DEEPEST:
            return False
        for one in actions:
            if not self.ready(one):
                continue
            self.tries -= 1
            undos = self.do(one)
            if undos is None:
                continue
            if self.exhaust([other for other in actions if other is not one]):
                return True
            self.undo(undos)
        self._dead.add(left)
        return False


def components(actions: Sequence[Action]) -> list[list[Action]]:
    """Return actions in sets that have no node in common and do not wait for each other: each goes its own way."""
    sets: list[tuple[set[Action], set[str]]] = []
    for one in actions:
        some, nodes = {one}, {one.node, one.target} - {""}
        apart = []
        for others, there in sets:
            if nodes & there or any(one.hard & {other} or one.soft & {other} or one in other.soft for other in others):
                some, nodes = some | others, nodes | there
            else:
                apart.append((others, there))
        sets = [*apart, (some, nodes)]
    place = {one: index for index, one in enumerate(actions)}
    return sorted((sorted(some, key=place.__getitem__) for some, _ in sets), key=lambda some: place[some[0]])


def _growth(books: Books, one: Action) -> dict[tuple[str, str], int]:
    """Return what an action adds at most to the rows that it fills."""
    found: Counter[tuple[str, str]] = Counter()
    for node, name, stand in one.puts(books.scene, books.world):
        old = books.world[node].get(name)
        if stand is None:
            continue
        before = books.charges.parts(node, name, old) if old else {}
        for resource, part in books.charges.parts(node, name, stand).items():
            more = sum(part.amounts) - (sum(before[resource].amounts) if resource in before else 0)
            found[node, resource] += max(0, more)
    return {key: more for key, more in found.items() if more}
