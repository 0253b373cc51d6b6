"""Stages: cuts of the one way from AS-IS to TO-BE, each with the ledger that it leaves behind."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations
from typing import TYPE_CHECKING

from bayplan.analyse.charge import charge
from bayplan.analyse.ledger import Ledger, Row, ledger
from bayplan.finding import NOWHERE, Finding, Place, error
from bayplan.model import units
from bayplan.model.names import Instance
from bayplan.model.quantity import GPU_MEMORY
from bayplan.plan.change import ON_DEMAND, Kind
from bayplan.plan.diff import apply
from bayplan.plan.form import Form, blend

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bayplan.model.fleet import Fleet
    from bayplan.model.names import Name
    from bayplan.model.placement import Seat
    from bayplan.model.service import Service
    from bayplan.plan.change import Change
    from bayplan.plan.state import State

_MOST_ORDERS = 6


@dataclass(frozen=True, slots=True)
class Cut:
    """A stage as the policy writes it: its name, the kinds and the services it takes (None: all)."""

    name: str
    kinds: frozenset[str] | None = None
    services: frozenset[Name] | None = None
    approvals: int = 0
    require: tuple[str, ...] = ()
    why: str = ""
    place: Place = NOWHERE

    def takes(self, change: Change) -> bool:
        """Whether a change belongs to this stage; who begins to rest is scheduled, whether it runs now or not."""
        kinds = {change.kind.value, *(("schedule",) if change.mode == ON_DEMAND else ())}
        by_kind = self.kinds is None or bool(kinds & self.kinds)
        return by_kind and (self.services is None or change.service in self.services)


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage with its changes and what it leaves behind."""

    cut: Cut
    changes: tuple[Change, ...]
    fleet: Fleet
    ledger: Ledger
    seats: Mapping[Instance, Seat]


WHOLE = Cut("all")
"""The one stage of a policy that has none."""


def assign(cuts: Sequence[Cut], changes: Iterable[Change]) -> tuple[dict[Cut, tuple[Change, ...]], list[Finding]]:
    """Return stage → its changes: each goes to the first stage that takes it, what none takes is an error."""
    taken: dict[Cut, list[Change]] = {cut: [] for cut in cuts}
    findings = []
    for change in changes:
        cut = next((one for one in cuts if one.takes(change)), None)
        if cut is None:
            message = f"no stage takes its {change.kind.value}"
            remedy = f"add {change.kind.value} to the changes of a stage"
            findings.append(error("rollout/no-stage", cuts[-1].place, str(change.service), message, remedy))
        else:
            taken[cut].append(change)
    return {cut: tuple(some) for cut, some in taken.items()}, findings


def staged(
    as_is: Fleet, to_be: Fleet, current: State, cuts: Sequence[Cut], taken: Mapping[Cut, Sequence[Change]]
) -> tuple[Stage, ...]:
    """Return the stages in order, each with the fleet and the ledger after it."""
    stages: list[Stage] = []
    done: list[Change] = []
    for index, cut in enumerate(cuts):
        changes = tuple(taken[cut])
        if stages and not changes:
            stages.append(replace(stages[-1], cut=cut, changes=()))
            continue
        done.extend(changes)
        fleet = halfway(as_is, to_be, [change for later in cuts[index + 1 :] for change in taken[later]])
        standing = seats(apply(current, done))
        stages.append(Stage(cut, changes, fleet, ledger(fleet, standing), standing))
    return tuple(stages)


def seats(current: State) -> dict[Instance, Seat]:
    """Return where each copy of a state stands."""
    return {
        Instance(name, number): seat
        for name, one in sorted(current.items())
        for number, seat in sorted(one.seats.items())
    }


def halfway(as_is: Fleet, to_be: Fleet, pending: Iterable[Change]) -> Fleet:
    """Return the fleet while some changes are still to come: what they change is as it was, all else as it will be.

    Who is still to start is not there yet, and who was stopped for good is not there any more.
    """
    waiting: dict[Name, list[Change]] = {}
    for change in pending:
        waiting.setdefault(change.service, []).append(change)
    services = {
        name: service
        for name in sorted({*as_is.services, *to_be.services})
        if (service := _between(as_is.services.get(name), to_be.services.get(name), waiting.get(name, ()))) is not None
    }
    return replace(to_be, services=services)


def _between(old: Service | None, new: Service | None, pending: Sequence[Change]) -> Service | None:
    kinds = {change.kind for change in pending}
    if Kind.STOP in kinds or (old is not None and not old.active and Kind.START in kinds):
        return old
    if (old is None and Kind.START in kinds) or new is None:
        return None
    return blend(old, new, Form.before(pending))


def crossed(before: Ledger, stage: Stage) -> tuple[tuple[Row, Row | None], ...]:
    """Return the rows that a stage pushes over their line, or fills further though they are over it already."""
    bad = []
    for row in stage.ledger.rows:
        old = before.row(row.node, row.resource)
        if row.bar - _named(stage, old, row) > max(row.line, old.bar if old else 0):
            bad.append((row, old))
    return tuple(bad)


def _named(stage: Stage, old: Row | None, row: Row) -> int:
    """Return how much a bar grew because what was unbounded now has a limit: that makes nothing fuller."""
    newly = {*old.unbounded} - {*row.unbounded} if old else set()
    amounts = (
        _asked(stage.fleet, copy.service, row.resource)
        for copy, seat in stage.seats.items()
        if copy.service in newly and seat.node == row.node
    )
    return sum(amounts)


def _asked(fleet: Fleet, name: Name, resource: str) -> int:
    service = fleet.services[name]
    if resource.startswith(GPU_MEMORY):
        return service.gpu.memory if service.gpu else 0
    amount = charge(fleet, service, resource)
    return amount.amount if amount else 0


def order_findings(
    as_is: Fleet, to_be: Fleet, current: State, stages: Sequence[Stage], before: Ledger
) -> list[Finding]:
    """Return a finding for the first stage that crosses a line, with an order of the stages that does not."""
    last = before
    for stage in stages:
        bad = crossed(last, stage)
        if bad:
            row, old = bad[0]
            was = units.show(row.resource.partition("/")[0], old.bar) if old else "nothing"
            now, line = (units.show(row.resource.partition("/")[0], n) for n in (row.bar, row.line))
            message = f"fills {row.resource} of {row.node} from {was} to {now}, over its line of {line}"
            remedy = _working_order(as_is, to_be, current, stages, before)
            return [error("rollout/stage-order", stage.cut.place, f"stage {stage.cut.name}", message, remedy)]
        last = stage.ledger
    return []


def _working_order(as_is: Fleet, to_be: Fleet, current: State, stages: Sequence[Stage], before: Ledger) -> str:
    if len(stages) > _MOST_ORDERS:
        return "put the stages that free room before those that fill it"
    taken = {stage.cut: stage.changes for stage in stages}
    for cuts in permutations([stage.cut for stage in stages]):
        tried = staged(as_is, to_be, current, cuts, taken)
        ledgers = [before, *(stage.ledger for stage in tried)]
        if not any(crossed(last, stage) for last, stage in zip(ledgers, tried, strict=False)):
            return "this order works: " + ", ".join(cut.name for cut in cuts)
    return "no order of these stages works; split the one that crosses the line"
