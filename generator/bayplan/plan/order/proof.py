"""Does an order keep its promises? Every moment of it looked at; a plan that breaks one is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bayplan.finding import NOWHERE, error
from bayplan.model import units
from bayplan.plan.change import Kind
from bayplan.plan.form import Form
from bayplan.plan.order.identity import clash
from bayplan.plan.order.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bayplan.analyse.ledger import Row
    from bayplan.finding import Finding
    from bayplan.model.names import Name
    from bayplan.plan.change import Change
    from bayplan.plan.order.identity import Mark
    from bayplan.plan.order.scene import Scene
    from bayplan.plan.order.walk import Moment
    from bayplan.plan.steps import Wave

_BUG = "this is a mistake of bayplan's own: please report it with the policy"


def proof(scene: Scene, waves: Iterable[Wave]) -> list[Finding]:
    """Return what waves break: rows filled over their line, things that two have, and changes left undone.

    A row that is over its line when a stage begins may not become fuller than it was then. A first limit makes nothing
    fuller: what was unbounded used what it used.
    """
    walked = Walk(scene)
    watch = _Watch({(row.node, row.resource): row for rows in walked.charges.rows.values() for row in rows})
    broken = [finding for moment in walked.moments(tuple(waves)) for finding in watch.look(moment)]
    return [*broken, *_undone(walked)]


class _Watch:
    """What was seen so far: how full each row is, and may be."""

    def __init__(self, rows: dict[tuple[str, str], Row]) -> None:
        self.rows = rows
        self.stage = ""
        self.bars: dict[tuple[str, str], int] = {}
        self.floor: dict[tuple[str, str], int] = {}
        self.taken: dict[str, frozenset[tuple[Mark, Name]]] = {}

    def look(self, moment: Moment) -> Iterator[Finding]:
        if moment.stage != self.stage:
            self.stage, self.floor = moment.stage, dict(self.bars)
        for resource, bar in moment.bars.items():
            key = (moment.node, resource)
            row, before, first = self.rows[key], self.bars.get(key, bar), moment.first.get(resource, 0)
            line = max(row.line, self.floor.get(key, bar)) + first
            if first:
                self.floor[key] = line
            if bar > before and bar > line:
                yield _over(moment, resource, before, line)
            self.bars[key] = bar
        yield from self._twice(moment)

    def _twice(self, moment: Moment) -> Iterator[Finding]:
        before = self.taken.get(moment.node, moment.taken)
        self.taken[moment.node] = moment.taken
        for mark, name in sorted(moment.taken - before):
            other = next((one for held, one in sorted(moment.taken) if one != name and clash(mark, held)), None)
            if other is not None:
                message = f"gives {mark[0]} {mark[1]} of {moment.node} to {name} while {other} has it"
                yield error("rollout/unsafe-step", NOWHERE, f"step {moment.step}", message, _BUG)


def _over(moment: Moment, resource: str, before: int, line: int) -> Finding:
    what = resource.partition("/")[0]
    was, now, most = (units.show(what, amount) for amount in (before, moment.bars[resource], line))
    both = " while both copies are there" if moment.during else ""
    message = f"fills {resource} of {moment.node} over its line{both}"
    return error(
        "rollout/unsafe-step", NOWHERE, f"step {moment.step}", message, _BUG, arithmetic=f"{was} → {now} > {most}"
    )


def _undone(walked: Walk) -> Iterator[Finding]:
    """Yield who does not stand in the end as the plan says."""
    scene = walked.scene
    same = {change.service for change in scene.changes if _only_seats(change)}
    for node, stands in sorted(walked.world.items()):
        wanted = {name for name, deployed in scene.then.items() if node in deployed.nodes}
        for name in sorted(wanted | stands.keys()):
            stand = stands.get(name)
            # Copies that stay where others move or are added are as they should be, if nothing else changes.
            form = replace(stand.form, made=stand.form.made or name in same) if stand else Form(made=False)
            if form != Form() or stand is None or stand.halted or len(stand.seats) != len(scene.gets(name, node)):
                message = f"does not stand on {node} in the end as the plan says"
                yield error("rollout/undone", NOWHERE, str(name), message, _BUG)


def _only_seats(change: Change) -> bool:
    return change.kind in (Kind.MOVE, Kind.SCALE) and all(detail.key == "replicas" for detail in change.details)
