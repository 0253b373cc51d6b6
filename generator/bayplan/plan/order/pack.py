"""Actions in order as waves: what is alike goes together, and nodes work side by side where nobody has to wait."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayplan.plan.steps import Act

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bayplan.model.names import Name
    from bayplan.plan.order.actions import Action
    from bayplan.plan.order.scene import Scene, Stand, World
    from bayplan.plan.stages import Cut


@dataclass(frozen=True, slots=True)
class Doing:
    """An action with the node that it really happens on, and the world before and after it as far as it touches them.

    Attributes:
        action, node: what and where.
        before, after: (node, service) → how it stands.
    """

    action: Action
    node: str
    before: Mapping[tuple[str, Name], Stand | None]
    after: Mapping[tuple[str, Name], Stand | None]


@dataclass(frozen=True, slots=True)
class Pack:
    """The content of one wave, before it is put into words."""

    cut: Cut
    act: Act
    doings: tuple[Doing, ...]


def replayed(scene: Scene, world: World, actions: Iterable[Action]) -> list[Doing]:
    """Return actions with what they do; `world` is changed. Copies that have met on one node are resized together."""
    found: list[Doing] = []
    resized: set[tuple[str, Name]] = set()
    for action in actions:
        where = action.node if action.movers else action.where(world)
        if action.act is Act.RESIZE and (where, action.name) in resized:
            continue
        resized |= {(where, action.name)} if action.act is Act.RESIZE else set()
        puts = action.puts(scene, world)
        before = {(node, name): world[node].get(name) for node, name, _ in puts}
        after = {(node, name): stand for node, name, stand in puts}
        for node, name, stand in puts:
            world[node].pop(name, None)
            if stand is not None:
                world[node][name] = stand
        found.append(Doing(action, where, before, after))
    return found


def packed(cut: Cut, doings: Iterable[Doing], needs: Mapping[Name, frozenset[Name]]) -> list[Pack]:
    """Return the waves of a stage: each run of one kind, cut where a node would have to wait for another."""
    runs: list[list[Doing]] = []
    for one in doings:
        alike = runs and runs[-1][0].action.act is one.action.act is not Act.MOVE
        if alike and runs[-1][0].action.stop == one.action.stop:
            runs[-1].append(one)
        else:
            runs.append([one])
    return [Pack(cut, run[0].action.act, level) for run in runs for level in _levels(run, needs)]


def _levels(run: list[Doing], needs: Mapping[Name, frozenset[Name]]) -> list[tuple[Doing, ...]]:
    levels: list[list[Doing]] = []
    last: dict[str, int] = {}
    seen: dict[Name, list[tuple[str, int]]] = {}
    rivals = _rivals(run, needs)
    for one in run:
        level = last.get(one.node, 0)
        for name in one.action.names:
            for other in rivals.get(name, ()):
                level = max([level, *(there + 1 for node, there in seen.get(other, ()) if node != one.node)])
        last[one.node] = level
        levels += [[] for _ in range(level + 1 - len(levels))]
        levels[level].append(one)
        for name in one.action.names:
            seen.setdefault(name, []).append((one.node, level))
    return [tuple(level) for level in levels if level]


def _rivals(run: list[Doing], needs: Mapping[Name, frozenset[Name]]) -> dict[Name, set[Name]]:
    """Return service → those that must be done with, on every other node, before it is its turn."""
    act = run[0].action.act
    names = {name for one in run for name in one.action.names}
    rivals: dict[Name, set[Name]] = {name: set() for name in names}
    for name in names if act in (Act.START, Act.RECREATE, Act.REST, Act.STOP) else ():
        for need in needs.get(name, frozenset()) & names:
            if act in (Act.START, Act.RECREATE):
                rivals[name].add(need)
            if act is not Act.START:
                rivals[need].add(name)
    if act is Act.RECREATE:
        # Copies of one service on two nodes are not down at once either.
        for name in names:
            rivals[name].add(name)
    return rivals
