"""Decide: one fleet in, one proven placement out, or every independent cause why there is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bayplan.finding import NOWHERE, Finding, error, in_order
from bayplan.model.placement import Placement, Seat
from bayplan.place.conflict.find import Conflict, conflicts_of
from bayplan.place.conflict.fitted import fitted
from bayplan.place.exact import solve
from bayplan.place.exact.seats import seats_of
from bayplan.place.reasons import reasons_of
from bayplan.place.risks import risks
from bayplan.place.upfront.causes import Upfront, upfront
from bayplan.place.verify import verify

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.model.fleet import Fleet
    from bayplan.place.exact.solve import Answer


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided.

    Attributes:
        placement: where everything stands; None if something has to change first.
        findings: errors that stand in the way, and risks that do not.
        conflicts: irreducible sets of policy lines that cannot hold together, each with its remedies.
        stats: sizes of the model and the value of each goal; the same on every machine.
    """

    placement: Placement | None
    findings: tuple[Finding, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    stats: Mapping[str, int] = field(default_factory=dict)


def decide(fleet: Fleet, previous: Placement | None = None) -> Decision:
    """Return the best placement of a fleet, or all the reasons why there is none.

    `previous` is the last decision: it is kept where nothing more important speaks against it.
    """
    previous = _remembered(fleet, previous)
    known = upfront(fleet)
    answer = solve.best(known.problem, previous)
    if answer.feasible:
        return _decided(fleet, known, answer, previous)
    if answer.feasible is None:
        return Decision(None, in_order([*known.findings, _undecided()]), stats=_stats(answer))
    conflicts = conflicts_of(fleet, known.problem)
    beside = frozenset(line.key for one in conflicts for line in one.lines)
    return Decision(None, in_order(fitted(fleet, known, beside)), conflicts, _stats(answer))


def kept(fleet: Fleet, placement: Placement) -> Decision | None:
    """Return a recorded decision with what is to be known about it, or None if it does not hold any more."""
    known = upfront(fleet)
    complete = set(placement.seats) == set(fleet.instances())
    if not complete or any(one.is_error for one in (*known.findings, *verify(fleet, placement))):
        return None
    return Decision(placement, in_order([*known.findings, *risks(known.problem, placement.seats)]))


def _remembered(fleet: Fleet, previous: Placement | None) -> Placement | None:
    """Return the last decision; whom it does not know has the cards that he has today."""
    today = {one: Seat(fleet.standing[one], cards) for one, cards in fleet.cards.items() if one in fleet.standing}
    return Placement({**today, **(previous.seats if previous else {})}) if today else previous


def _decided(fleet: Fleet, known: Upfront, answer: Answer, previous: Placement | None) -> Decision:
    seats = seats_of(known.problem, answer, previous)
    findings = in_order([*fitted(fleet, known, frozenset()), *risks(known.problem, seats)])
    if any(finding.is_error for finding in findings):
        return Decision(None, findings, stats=_stats(answer))
    placement = Placement(seats, optimal=answer.proven)
    reasons = reasons_of(fleet, placement)
    return Decision(Placement(seats, reasons, answer.proven), findings, stats=_stats(answer))


def _undecided() -> Finding:
    message = "neither a placement nor a proof that there is none was found within the bounded effort"
    return error(
        "placement/undecided", NOWHERE, "fleet", message, "fix some services with placement: to make it easier"
    )


def _stats(answer: Answer) -> Mapping[str, int]:
    values = {f"goal.{name}": value for name, (value, _) in answer.stages.items()}
    proven = {f"proven.{name}": int(sure) for name, (_, sure) in answer.stages.items()}
    return {"variables": answer.variables, **values, **proven}
