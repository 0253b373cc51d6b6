"""Waves walked through from the beginning: how full each node is at every moment, added up anew each time.

Nothing here reads the books that the order was found with. A step is taken for what it says, and its effect is looked
up in the two ends of the plan; then everything that stands on the node is added up again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bayplan.analyse.ledger import disk_rows
from bayplan.analyse.pools import together
from bayplan.model.names import Name
from bayplan.plan.order.charges import Charges
from bayplan.plan.order.identity import marks
from bayplan.plan.steps import Act

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bayplan.analyse.ledger import Row
    from bayplan.plan.form import Form
    from bayplan.plan.order.identity import Mark
    from bayplan.plan.order.scene import Scene, Stand, World
    from bayplan.plan.steps import Move, Step, Wave


@dataclass(frozen=True, slots=True)
class Moment:
    """One node at one moment of a plan.

    Attributes:
        node: which node.
        stage: the stage; empty before the first step.
        step: the id of the step; empty before the first one.
        during: whether both copies of a mover are there.
        bars: resource → how long the bar is; the slices of cut cards are among them.
        taken: what its services have to themselves, with who has it.
        first: resource → how much the step grew it only because what was unbounded there has got a limit.
    """

    node: str
    stage: str
    step: str
    during: bool
    bars: Mapping[str, int]
    taken: frozenset[tuple[Mark, Name]]
    first: Mapping[str, int]


class Walk:
    """A walk through waves; `world` is where everything stands at the moment."""

    def __init__(self, scene: Scene) -> None:
        """Begin before the first step."""
        self.scene = scene
        self.world: World = scene.world()
        self.charges = Charges(scene)
        self._data: dict[str, set[Name]] = {node: set() for node in self.world}
        self._marks: dict[tuple[str, Name, Form, bool], frozenset[Mark]] = {}
        for node, stands in self.world.items():
            for name, stand in stands.items():
                self._arrive(node, name, stand)

    def moments(self, waves: Iterable[Wave]) -> Iterator[Moment]:
        """Yield each node before the first step, then what every step changes, while it is done and after it."""
        for node in sorted(self.world):
            yield self._look(node, "", "")
        for wave in waves:
            if wave.move is not None:
                yield from self._move(wave.stage, wave.move)
            for node, steps in sorted(wave.nodes.items()):
                for step in steps:
                    first = self._single(step, node)
                    yield self._look(node, wave.stage, step.id, first)

    def _single(self, step: Step, node: str) -> Mapping[str, int]:
        before = self.world[node].get(step.service)
        if step.kind is Act.STOP and step.after is not None and before is not None:
            after: Stand | None = replace(before, halted=True)
        else:
            made = step.kind is Act.REST and step.after is not None and step.after.made
            renewed = made and before is not None and not (before.form.made and len(before.seats) == step.copies)
            after = self.scene.done(step.kind, step.service, node, before, made=renewed)
        self._stand(node, step.service, after)
        return self.charges.first_limits(node, step.service, before, after)

    def _move(self, stage: str, move: Move) -> Iterator[Moment]:
        last = move.steps[-1].id
        gone: dict[Name, Stand | None] = {}
        first: Counter[str] = Counter()
        for step in move.steps:
            here = self.world[move.source][step.service]
            there = self.world[move.target].get(step.service)
            many = step.copies - (len(there.seats) if there else 0)
            gone[step.service] = self.scene.left(step.service, here, many)
            running = replace(here, halted=False)
            came = self.scene.came(step.service, move.target, there, running, many)
            self._stand(move.target, step.service, came)
            first.update(self.charges.first_limits(move.target, step.service, there, came))
        yield self._look(move.target, stage, last, first, during=True)
        yield self._look(move.source, stage, last, during=True)
        for name, left in gone.items():
            self._stand(move.source, name, left)
        yield self._look(move.source, stage, last)

    def _stand(self, node: str, name: Name, stand: Stand | None) -> None:
        self.world[node].pop(name, None)
        if stand is not None:
            self.world[node][name] = stand
            self._arrive(node, name, stand)

    def _arrive(self, node: str, name: Name, stand: Stand) -> None:
        """Note the data of a service: it stays on the node when the service goes."""
        self._data[node].update(Name(name.project, key) for key in self.scene.service(name, stand.form).volume_keys)

    def _look(
        self, node: str, stage: str, step: str, first: Mapping[str, int] | None = None, *, during: bool = False
    ) -> Moment:
        parts = [self.charges.parts(node, name, stand) for name, stand in self.world[node].items()]
        bars = {}
        for row in self.charges.rows[node]:
            each = [part for some in parts if (part := some.get(row.resource))]
            charged = ((part.service, amount) for part in each for amount in part.amounts)
            bars[row.resource] = row.reserve + together(self.scene.to_be, row.resource.partition("/")[0], charged)
        bars.update((row.resource, row.bar) for row in self._disks(node))
        taken = frozenset(
            (mark, name) for name, stand in self.world[node].items() for mark in self._taken(node, name, stand)
        )
        return Moment(node, stage, step, during, bars, taken, first or {})

    def _disks(self, node: str) -> list[Row]:
        return disk_rows(self.scene.to_be, self.scene.to_be.nodes[node], self._data[node])

    def _taken(self, node: str, name: Name, stand: Stand) -> frozenset[Mark]:
        key = (node, name, stand.form, stand.halted)
        if key not in self._marks:
            self._marks[key] = marks(self.scene, name, node, stand)
        return self._marks[key]


def walk(scene: Scene, waves: Iterable[Wave]) -> Iterator[Moment]:
    """Yield each node before the first step, then what every step changes, while it is done and after it."""
    return Walk(scene).moments(waves)
