"""The stages of a plan as waves, one after the other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bayplan.finding import error, warning
from bayplan.model import units
from bayplan.plan.change import Kind
from bayplan.plan.form import Form
from bayplan.plan.order.arrange import arrange
from bayplan.plan.order.baggage import assumed_roots
from bayplan.plan.order.books import Books
from bayplan.plan.order.bridges import bridges
from bayplan.plan.order.build import actions, ways
from bayplan.plan.order.charges import Charges
from bayplan.plan.order.groups import bonds, torn
from bayplan.plan.order.needs import needs
from bayplan.plan.order.pack import packed, replayed
from bayplan.plan.order.scene import Stand
from bayplan.plan.order.waves import waves
from bayplan.plan.order.words import listed
from bayplan.plan.steps import Act

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bayplan.finding import Finding
    from bayplan.model.names import Name
    from bayplan.plan.order.arrange import Arranged
    from bayplan.plan.order.scene import Scene, World
    from bayplan.plan.stages import Cut, Stage
    from bayplan.plan.steps import Wave


def order(scene: Scene, stages: Sequence[Stage]) -> tuple[tuple[Wave, ...], list[Finding]]:
    """Return the waves of a plan, and what is to be said about them; no waves if one stage has no safe order.

    Args:
        scene: both ends of the plan.
        stages: its stages in order; no change is in two of them.
    """
    charges = Charges(scene)
    needed, held = needs(scene.as_is, scene.to_be), bonds(scene.to_be)
    world = scene.world()
    packs = []
    findings: list[Finding] = []
    for stage in stages:
        if not stage.changes:
            continue
        moving = [change for change in stage.changes if change.kind is Kind.MOVE]
        findings += torn(scene, ways(scene, moving), stage.cut.place, stage.cut.name)
        found = arrange(charges, world, actions(Books(charges, world), stage.changes, needed, held))
        if found.actions is None:
            return (), [*findings, _none(stage.cut, found)]
        packs += packed(stage.cut, replayed(scene, world, found.actions), needed)
    made = waves(charges, packs, needed)
    findings += bridges(stages, needed)
    roots = assumed_roots(scene.to_be) if any(wave.kind is not Act.RESIZE for wave in made) else ()
    return made, [*findings, *roots, *_stops(charges, made, {stage.cut.name: stage.cut for stage in stages})]


def _none(cut: Cut, found: Arranged) -> Finding:
    """Return why a stage has no order."""
    short, who = found.short, found.who
    name = listed(who.names) if who else f"stage {cut.name}"
    if short is None:
        message = "has no order that is safe, and none was found with services stopped for a while"
        return error(
            "rollout/no-order", cut.place, f"stage {cut.name}", message, _SPLIT, arithmetic=f"first stuck: {name}"
        )
    if short.row is None:
        kind, what = (short.mark or ("", "", ""))[:2]
        message = f"has no order: {name} takes {kind} {what} of {short.node}, which {short.holder} has to the end of it"
        return error("rollout/no-order", cut.place, f"stage {cut.name}", message, _SPLIT)
    what = short.row.resource.partition("/")[0]
    bar, line, more = (units.show(what, amount) for amount in (short.bar, short.line, short.bar - short.line))
    message = f"has no order: with {name}, {short.row.resource} of {short.node} goes over its line"
    remedy = _DATA if short.row.resource.startswith("disk:") else _SPLIT
    return error(
        "rollout/no-order",
        cut.place,
        f"stage {cut.name}",
        message,
        remedy,
        arithmetic=f"{bar} > {line}: {more} are missing",
    )


_SPLIT = "let an earlier stage free the room, or move this change to a later one"
_DATA = "data stays where it was until keep_source is over: move fewer in one plan, or make room on that disk"


def _stops(charges: Charges, made: Iterable[Wave], cuts: dict[str, Cut]) -> list[Finding]:
    """Return a warning for each move that begins with a stop."""
    found = []
    for wave in made:
        if wave.move is not None and wave.move.stop_first:
            move, names = wave.move, tuple(step.service for step in wave.move.steps)
            downtime = move.steps[0].downtime
            message = f"is down {downtime}: it changes places with others, and no order has room for both"
            remedy = f"make room on {move.source} or {move.target} for the time of the move"
            spare = next((node for node in charges.rows if _has_room(charges, node, names)), "")
            remedy += f"; {spare} has room for it: a plan that moves it there first needs no stop" if spare else ""
            found.append(warning("rollout/temporary-stop", cuts[wave.stage].place, listed(names), message, remedy))
    return found


def _has_room(charges: Charges, node: str, names: Iterable[Name]) -> bool:
    """Whether services would fit on a third node, before and after all that the plan does there."""
    scene = charges.scene
    before, after = Books(charges, scene.world()), Books(charges, _end(scene))
    for name in names:
        if scene.service(name, Form()).gpu or node in scene.now[name].nodes or node in scene.then[name].nodes:
            return False
        stand = Stand(Form(), {number: replace(seat, node=node) for number, seat in scene.then[name].seats.items()})
        if not all(books.attempt([(node, name, stand)])[0] for books in (before, after)):
            return False
    return True


def _end(scene: Scene) -> World:
    """Return where everything stands after the last step."""
    world: World = {node: {} for node in scene.to_be.nodes}
    for name, deployed in scene.then.items():
        for node in deployed.nodes:
            world[node][name] = Stand(Form(), scene.gets(name, node))
    return world
