"""The books of a world: how full every row of every node is, kept up as steps are tried and taken back.

The proof does not read them: it computes ledgers anew (`bayplan.plan.order.walk`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bayplan.analyse.pools import together
from bayplan.plan.order.identity import Mark, first_clash, marks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bayplan.analyse.ledger import Row
    from bayplan.model.names import Name
    from bayplan.plan.form import Form
    from bayplan.plan.order.charges import Charges, Part
    from bayplan.plan.order.scene import Stand, World

_Key = tuple[str, str]
"""Node and resource."""


@dataclass(frozen=True, slots=True)
class Short:
    """Why a step cannot be done now: a row that would go over, or something that somebody else has.

    Attributes:
        node: where.
        row: what goes over, or None.
        bar, line: how long its bar would be, and how far it may go.
        mark, holder: what is taken, and by whom.
    """

    node: str
    row: Row | None = None
    bar: int = 0
    line: int = 0
    mark: Mark | None = None
    holder: Name | None = None


@dataclass(slots=True)
class Undo:
    """How a put is taken back: who stood there, which data came, which first limits were noted."""

    node: str
    name: Name
    stand: Stand | None
    volumes: tuple[Name, ...] = ()
    named: Counter[_Key] = field(default_factory=Counter)


class Books:
    """Every node of a world, with what may be done to it.

    Attributes:
        world: where everything stands; changed by `put` and `back`.
        lenient: whether a row that is over its line may be filled up to what it was when the stage began.
        floor: how full each row was then.
        named: how much each row has grown since then only because what was unbounded got a limit.
    """

    def __init__(self, charges: Charges, world: World, *, lenient: bool = False) -> None:
        """Write down a world."""
        scene = charges.scene
        self.scene = scene
        self.world: World = {node: {} for node in world}
        self.lenient = lenient
        self.named: Counter[_Key] = Counter()
        self.charges = charges
        self._sums: dict[str, Counter[str]] = {node: Counter() for node in world}
        self._shared: dict[str, dict[tuple[str, Name], Part]] = {node: {} for node in world}
        self._held: dict[str, set[Name]] = {node: set() for node in world}
        self._marks: dict[str, dict[Name, frozenset[Mark]]] = {node: {} for node in world}
        self._known_marks: dict[tuple[str, Name, Form, bool], frozenset[Mark]] = {}
        self._bars: dict[str, dict[str, int]] = {}
        for node, stands in world.items():
            for name, stand in stands.items():
                self.put(node, name, stand)
        self.floor = {(node, resource): bar for node in world for resource, bar in self.bars(node).items()}

    def bars(self, node: str) -> dict[str, int]:
        """Return resource → how long the bar is."""
        known = self._bars.get(node)
        if known is None:
            known = {row.resource: self._bar(row) for row in self.charges.rows[node]}
            self._bars[node] = known
        return known

    def _bar(self, row: Row) -> int:
        shared = [
            (part.service, amount)
            for (resource, _), part in self._shared[row.node].items()
            if resource == row.resource
            for amount in part.amounts
        ]
        total = row.reserve + self._sums[row.node][row.resource]
        return total + (together(self.scene.to_be, row.resource.partition("/")[0], shared) if shared else 0)

    def put(self, node: str, name: Name, stand: Stand | None) -> Undo:
        """Let a service stand on a node so from now on; None takes it away. Data stays where it was."""
        old = self.world[node].pop(name, None)
        self._count(node, name, old, -1)
        self._count(node, name, stand, 1)
        undo = Undo(node, name, old)
        if stand is not None:
            self.world[node][name] = stand
            sizes = self.charges.volumes(node, name, stand.form)
            undo.volumes = tuple(volume for volume in sizes if volume not in self._held[node])
            self._held[node].update(undo.volumes)
            for volume in undo.volumes:
                resource, amount = sizes[volume]
                self._sums[node][resource] += amount
        self._mark(node, name, stand)
        self._bars.pop(node, None)
        return undo

    def back(self, undos: Iterable[Undo]) -> None:
        """Take back what `put` did, the last first."""
        for undo in reversed(tuple(undos)):
            now = self.world[undo.node].get(undo.name)
            sizes = self.charges.volumes(undo.node, undo.name, now.form) if now else {}
            for volume in undo.volumes:
                resource, amount = sizes[volume]
                self._sums[undo.node][resource] -= amount
                self._held[undo.node].discard(volume)
            self.put(undo.node, undo.name, undo.stand)
            self.named.subtract(undo.named)

    def _count(self, node: str, name: Name, stand: Stand | None, sign: int) -> None:
        if stand is None or stand.halted:
            return
        for resource, part in self.charges.parts(node, name, stand).items():
            if part.shares:
                if sign > 0:
                    self._shared[node][resource, name] = part
                else:
                    self._shared[node].pop((resource, name), None)
            else:
                self._sums[node][resource] += sign * sum(part.amounts)

    def _mark(self, node: str, name: Name, stand: Stand | None) -> None:
        self._marks[node].pop(name, None)
        if stand is not None:
            self._marks[node][name] = self.marks_of(node, name, stand)

    def marks_of(self, node: str, name: Name, stand: Stand) -> frozenset[Mark]:
        """Return what a service has to itself on a node."""
        key = (node, name, stand.form, stand.halted)
        if key not in self._known_marks:
            self._known_marks[key] = marks(self.scene, name, node, stand)
        return self._known_marks[key]

    def attempt(self, puts: Iterable[tuple[str, Name, Stand | None]]) -> tuple[list[Undo], Short | None]:
        """Do some puts, unless one of them fills what may not be filled; return how to take them back, or why not."""
        undos: list[Undo] = []
        for node, name, stand in puts:
            before, old = self.bars(node), self._marks[node].get(name, frozenset())
            undo = self.put(node, name, stand)
            undos.append(undo)
            short = self._short(undo, before) or self._taken(node, name, old)
            if short is not None:
                self.back(undos)
                return [], short
        return undos, None

    def over_line(self, node: str) -> bool:
        """Whether a row of a node is over its line."""
        return any(bar > self.charges.row(node, resource).line for resource, bar in self.bars(node).items())

    def _short(self, undo: Undo, before: dict[str, int]) -> Short | None:
        node = undo.node
        first = self._name(undo)
        for resource, bar in self.bars(node).items():
            if bar - first.get(resource, 0) > before[resource]:
                line = self.line(node, resource, first.get(resource, 0))
                if bar > line:
                    return Short(node, self.charges.row(node, resource), bar, line)
        return None

    def line(self, node: str, resource: str, first: int = 0) -> int:
        """Return how far a row may be filled; `first` of it is only a first limit."""
        row = self.charges.row(node, resource)
        if not self.lenient:
            return row.line + first
        return max(row.line, self.floor[node, resource]) + self.named[node, resource]

    def _name(self, undo: Undo) -> dict[str, int]:
        """Note, and return, what a row grows only because what was unbounded there has got a limit."""
        first = self.charges.first_limits(undo.node, undo.name, undo.stand, self.world[undo.node].get(undo.name))
        for resource, amount in first.items():
            self.named[undo.node, resource] += amount
            undo.named[undo.node, resource] += amount
        return first

    def _taken(self, node: str, name: Name, old: frozenset[Mark]) -> Short | None:
        wanted = self._marks[node].get(name, frozenset()) - old
        if not wanted:
            return None
        found = first_clash(wanted, ((other, some) for other, some in self._marks[node].items() if other != name))
        return Short(node, mark=found[0], holder=found[1]) if found else None

    def effect(self, puts: Iterable[tuple[str, Name, Stand | None]]) -> tuple[bool, bool]:
        """Return whether some puts fill anything, and whether they free anything."""
        grows = frees = False
        undos = []
        for node, name, stand in puts:
            bars, old = self.bars(node), self._marks[node].get(name, frozenset())
            undos.append(self.put(node, name, stand))
            new = self._marks[node].get(name, frozenset())
            after = self.bars(node)
            grows |= bool(new - old) or any(after[key] > bars[key] for key in bars)
            frees |= bool(old - new) or any(after[key] < bars[key] for key in bars)
        self.back(undos)
        return grows, frees

    def fits(self, puts: Iterable[tuple[str, Name, Stand | None]]) -> bool:
        """Whether some puts could be done now."""
        undos, short = self.attempt(puts)
        self.back(undos)
        return short is None

    def adds(self, puts: Iterable[tuple[str, Name, Stand | None]], node: str, resource: str) -> int:
        """Return how much some puts fill a row."""
        before = self.bars(node)[resource]
        undos = [self.put(*one) for one in puts]
        after = self.bars(node)[resource]
        self.back(undos)
        return after - before

    def force(self, puts: Iterable[tuple[str, Name, Stand | None]]) -> None:
        """Do some puts, whatever they fill."""
        for node, name, stand in puts:
            self._name(self.put(node, name, stand))

    def over(self, before: Books) -> Short | None:
        """Return the first row that is fuller than it may be, or the first thing that two have and one had before."""
        for node in sorted(self.world):
            for resource, bar in self.bars(node).items():
                if bar > self.line(node, resource):
                    return Short(node, self.charges.row(node, resource), bar, self.line(node, resource))
            for name, some in sorted(self._marks[node].items()):
                others = ((other, taken) for other, taken in self._marks[node].items() if other != name)
                found = first_clash(some - before._marks[node].get(name, frozenset()), others)
                if found:
                    return Short(node, mark=found[0], holder=found[1])
        return None
