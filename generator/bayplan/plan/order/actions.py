"""The changes of a stage as actions: each on one node, or a move between two, with what must have been done before."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bayplan.plan.change import Change, Kind
from bayplan.plan.steps import Act

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.model.names import Name
    from bayplan.plan.order.scene import Scene, Stand, World

PHASES = (Act.RESIZE, Act.REST, Act.STOP, Act.RECREATE, Act.MOVE, Act.START)
"""The order of kinds inside a stage; what scales down goes with the stops, what scales up with the starts."""


def at(act: Act) -> int:
    """Return the phase of an act."""
    return PHASES.index(act)


@dataclass(eq=False, slots=True)
class Action:
    """Something that is done at once.

    Attributes:
        act: what.
        phase: when, inside a stage: an index of PHASES.
        name, node: to whom, where; for a move its first service and its source.
        change: what it is a part of; None if something else makes it necessary.
        target, movers: of a move: each change, with how many of its copies go.
        rank: its place among those of its phase.
        made: whether a rest brings new settings along.
        copies: how many copies it leaves on the node; for a stop, how many leave.
        why: its reason, where the change gives none.
        hard: what must have been done before.
        soft: what should have been done before, if there is a way.
        stop: whether it halts a mover for a while; such a move has one in `hard`.
    """

    act: Act
    phase: int
    name: Name
    node: str
    change: Change | None = None
    target: str = ""
    movers: tuple[tuple[Change, int], ...] = ()
    rank: int = 0
    made: bool = False
    copies: int = 0
    why: str = ""
    hard: set[Action] = field(default_factory=set)
    soft: set[Action] = field(default_factory=set)
    stop: bool = False

    @property
    def names(self) -> tuple[Name, ...]:
        """Return the services it is about."""
        return tuple(change.service for change, _ in self.movers) or (self.name,)

    def puts(self, scene: Scene, world: World) -> list[tuple[str, Name, Stand | None]]:
        """Return what it makes of a world: what arrives first, then what leaves."""
        if self.stop:
            return [(self.node, name, replace(world[self.node][name], halted=True)) for name in self.names]
        if self.act is Act.MOVE:
            return [*self._arrivals(scene, world), *self._departures(scene, world)]
        return [
            (node, self.name, scene.done(self.act, self.name, node, world[node].get(self.name), made=self.made))
            for node in (self.where(world),)
        ]

    def where(self, world: World) -> str:
        """Return the node it happens on: where the service stands at that time, if it has been moved meanwhile."""
        kind = self.change.kind if self.change else None
        follows = kind is Kind.RESIZE or (kind is Kind.SCHEDULE and not self.made)
        if not follows or self.name in world[self.node]:
            return self.node
        return next((node for node in sorted(world) if self.name in world[node]), self.node)

    def _arrivals(self, scene: Scene, world: World) -> Iterator[tuple[str, Name, Stand | None]]:
        for change, copies in self.movers:
            name = change.service
            here = replace(world[self.node][name], halted=False)
            yield self.target, name, scene.came(name, self.target, world[self.target].get(name), here, copies)

    def _departures(self, scene: Scene, world: World) -> Iterator[tuple[str, Name, Stand | None]]:
        for change, copies in self.movers:
            yield self.node, change.service, scene.left(change.service, world[self.node][change.service], copies)
