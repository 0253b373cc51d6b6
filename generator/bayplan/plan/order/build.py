"""From the changes of a stage to its actions, each with its rank and with what comes before it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from bayplan.plan.change import ON_DEMAND, Kind
from bayplan.plan.order.actions import Action, at
from bayplan.plan.order.groups import joined
from bayplan.plan.order.needs import host_of
from bayplan.plan.order.ranks import ranked
from bayplan.plan.order.spread import spread
from bayplan.plan.steps import Act

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bayplan.model.names import Name
    from bayplan.plan.change import Change
    from bayplan.plan.order.books import Books
    from bayplan.plan.order.groups import Way
    from bayplan.plan.order.scene import Scene
    from bayplan.plan.order.spread import Here


def actions(
    books: Books, changes: Iterable[Change], needs: Mapping[Name, frozenset[Name]], bonds: Iterable[frozenset[Name]]
) -> list[Action]:
    """Return the actions of a stage, in the order that is tried first.

    Args:
        books: the world when the stage begins.
        changes: those of the stage.
        needs: service → those it needs.
        bonds: services that move together.
    """
    some = tuple(changes)
    found = [action for change in some for action in _of(books, change)]
    found += _moves(books.scene, some, bonds)
    found += _sharing(books, found)
    ranked(books, found, needs)
    _tie(found, needs)
    return sorted(found, key=lambda one: (one.phase, one.rank))


def _of(books: Books, change: Change) -> Iterator[Action]:
    """Yield what a change does on single nodes: where the service stands by then."""
    scene = books.scene
    if change.kind in (Kind.RESIZE, Kind.STOP) or (change.kind is Kind.SCHEDULE and not change.renews):
        woken = Act.REST if change.mode == ON_DEMAND else Act.START
        act = {Kind.RESIZE: Act.RESIZE, Kind.STOP: Act.STOP}.get(change.kind, woken)
        there = [(node, stands[change.service]) for node, stands in books.world.items() if change.service in stands]
        yield from (_one(act, change, node, len(stand.seats)) for node, stand in sorted(there, key=lambda one: one[0]))
        return
    here, _ = spread(scene, change.service, moving=change.kind is Kind.MOVE)
    found = [action for node, one in here.items() if (action := _seated(scene, change, node, one))]
    if not found and not any(one.out for one in here.values()):
        # Copies that only change their numbers: containers are told by number, so they are made anew.
        found = [_one(Act.RECREATE, change, node, one.after) for node, one in here.items() if one.after]
    yield from found


def _seated(scene: Scene, change: Change, node: str, here: Here) -> Action | None:
    """Return what a change of seats or settings does on a node, beside moves."""
    wanted = scene.then.get(change.service)
    resting = wanted is not None and wanted.mode == ON_DEMAND
    renews = change.kind in (Kind.RECREATE, Kind.SCHEDULE) or (change.kind is Kind.MOVE and bool(change.details))
    if here.stays and not here.wanted:
        return _one(Act.STOP, change, node, here.before)
    if not here.stays and here.wanted and not here.came:
        return _one(Act.REST if resting else Act.START, change, node, here.after)
    if here.stays and not here.came and (renews or here.cards):
        act = Act.REST if change.kind is Kind.SCHEDULE else Act.RECREATE
        return _one(act, change, node, here.after, made=True)
    if here.stays != here.wanted:
        phase = at(Act.START if here.stays < here.wanted else Act.STOP)
        return _one(Act.SCALE, change, node, here.after, phase=phase)
    return None


def _one(act: Act, change: Change, node: str, copies: int, *, phase: int | None = None, made: bool = False) -> Action:
    return Action(act, at(act) if phase is None else phase, change.service, node, change, copies=copies, made=made)


def ways(scene: Scene, changes: Iterable[Change]) -> dict[Name, Mapping[Way, int]]:
    """Return who moves → (source, target) → how many copies."""
    moving = (change.service for change in changes if change.kind is Kind.MOVE)
    return {name: spread(scene, name, moving=True)[1] for name in moving}


def _moves(scene: Scene, changes: Iterable[Change], bonds: Iterable[frozenset[Name]]) -> Iterator[Action]:
    some = tuple(changes)
    known = {change.service: change for change in some if change.kind is Kind.MOVE}
    by_way: dict[Way, dict[Name, int]] = defaultdict(dict)
    for name, taken in ways(scene, some).items():
        for way, many in taken.items():
            by_way[way][name] = many
    held = tuple(bonds)
    for (source, target), copies in sorted(by_way.items()):
        for group in joined(copies, held):
            movers = tuple((known[name], copies[name]) for name in group)
            yield Action(Act.MOVE, at(Act.MOVE), group[0], source, target=target, movers=movers)


def _sharing(books: Books, found: Iterable[Action]) -> Iterator[Action]:
    """Yield who has to be made anew because the container whose network it shares is."""
    remade = {(one.name, one.node): one for one in found if one.act is Act.RECREATE}
    touched = {(name, one.node) for one in found if one.act is not Act.RESIZE for name in one.names}
    for node, stands in sorted(books.world.items()):
        for name, stand in sorted(stands.items()):
            host = host_of(books.scene.service(name, stand.form))
            first = remade.get((host, node)) if host else None
            if first is not None and (name, node) not in touched:
                why = f"it shares the network of {first.name}"
                yield Action(Act.RECREATE, at(Act.RECREATE), name, node, copies=len(stand.seats), why=why, hard={first})


def _tie(found: Iterable[Action], needs: Mapping[Name, frozenset[Name]]) -> None:
    """Let starts wait for what they depend on, and what is made anew for the moves of what it calls."""
    of: dict[Name, list[Action]] = defaultdict(list)
    for one in found:
        for name in one.names:
            of[name].append(one)
    for one in found:
        others = [other for name in one.names for other in of[name] if other is not one]
        if one.act in (Act.RECREATE, Act.SCALE, Act.STOP, Act.START):
            one.hard |= {other for other in others if other.act is Act.MOVE}
        if one.act not in (Act.RECREATE, Act.START, Act.SCALE) and not (one.act is Act.REST and one.made):
            continue
        for needed in (other for name in needs.get(one.name, ()) for other in of[name]):
            if needed.act is Act.MOVE or (one.phase == at(Act.START) and needed.act is Act.RECREATE):
                one.soft.add(needed)
            elif one.phase == needed.phase == at(Act.START) and needed.rank < one.rank:
                one.hard.add(needed)
