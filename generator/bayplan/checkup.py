"""Check: everything that can be said about a policy without planning it. Read, place, measure, look over."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from bayplan import place
from bayplan.check.inactive import inactive
from bayplan.check.look import looked_over
from bayplan.check.moment import AS_IS, TO_BE, Moment
from bayplan.check.neighbours import lost_names
from bayplan.check.survey import Survey
from bayplan.finding import Finding, error, in_order
from bayplan.model.quantity import DISK, Origin
from bayplan.pipeline import numbered, recorded, stop_if_broken
from bayplan.place.constraints.lines import GPU
from bayplan.place.vram import vram_unsaid
from bayplan.plan.diff import diff
from bayplan.plan.rollout import read_cuts
from bayplan.plan.setting import keyed, pasted
from bayplan.plan.sides import carried, reasons, standing, wished
from bayplan.plan.stages import WHOLE, assign, order_findings, staged
from bayplan.plan.state import state
from bayplan.policy.builds import read_images
from bayplan.policy.env_files import read_env_files
from bayplan.policy.fleet import read_policy
from bayplan.render.compose import bodies
from bayplan.render.node import node_findings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from bayplan.model.fleet import Fleet
    from bayplan.model.placement import Placement
    from bayplan.policy.fleet import Policy
    from bayplan.source import Node
    from bayplan.workspace import Workspace

SMALL = 20_000
"""Copies times nodes up to which checking a policy decides where everything stands."""
_BOUND = re.compile(r"[<>]|\.\.")
_ALONE = 50
"""How many copies a node is worth by itself: the goals of a placement look at each."""


def check(space: Workspace, policy: Policy, *, strict: bool = False) -> tuple[Finding, ...]:
    """Return every finding about a policy: of reading it, of placing it, of its claims, and of the rules.

    Where everything stands is what was decided and recorded, if that still holds. Else it is decided here, as long as
    the fleet is small; for a large one, what is fixed and what stands today must do.

    Args:
        space: its folders.
        policy: what was read.
        strict: whether what nothing enforces, and cuts without a reason, are errors.

    Raises:
        PolicyError: if what was read is broken.
    """
    stop_if_broken(policy)
    findings = _checked(space, policy, strict=strict)
    if not policy.ranged:
        return findings
    other = read_policy(space.policy, space.inventory, policy.environment, lower=True)
    if any(one.is_error for one in other.findings):
        return in_order([*findings, *(_at_lower_end(one) for one in other.findings if one.is_error)])
    known = {(one.rule, one.place, one.subject) for one in findings}
    lower = (one for one in _checked(space, other, strict=strict) if not _of_one_end(one))
    more = [one for one in lower if (one.rule, one.place, one.subject) not in known]
    return in_order([*findings, *map(_at_lower_end, more)])


def _of_one_end(finding: Finding) -> bool:
    """Whether a finding is about a number that is claimed: of what is planned, while bounds hold for all of a range."""
    return finding.rule.startswith(("claims/", "savings/")) and not _BOUND.search(finding.write)


def _at_lower_end(finding: Finding) -> Finding:
    return replace(finding, message=f"{finding.message} (at the lower end of what the environment multiplies by)")


def _checked(space: Workspace, policy: Policy, *, strict: bool) -> tuple[Finding, ...]:
    """Return every finding about a policy at one end of its ranges."""
    lock, found = recorded(space, policy)
    fleet = numbered(policy.to_be, lock)
    decision = _settled(fleet, lock)
    placement = decision.placement or wished(fleet)
    moments, more = _moments(policy, placement, decided=decision.placement is not None)
    survey = Survey(
        policy.document,
        policy.environment,
        moments,
        complete=len(placement.seats) == len(fleet.instances()),
        settled=decision.placement is not None or bool(decision.conflicts or decision.findings),
        factors=policy.factors,
        strict=strict,
        released=policy.released,
        images=read_images(space.policy, fleet),
        given=read_env_files(space.policy, fleet),
    )
    ruled = looked_over(survey)
    lost = [keyed(one, policy.document, policy.environment) for one in lost_names(survey.fleet, placement.seats)]
    files = node_findings(survey.fleet, placement)
    shared = () if decision.placement else vram_unsaid(survey.fleet, placement.seats)
    kept = _reserved(fleet)
    conflicts = _unexplained(decision.conflicts, ruled, kept)
    alone = [one for one in decision.findings if kept != fleet.nodes.keys() or one.rule != _TOO_LARGE]
    placed = [*alone, *(impossible(one, survey.fleet) for one in conflicts), *files, *shared]
    if policy.document.get("environments") is not None:
        placed = [pasted(one, policy.environment, policy.factors) for one in placed]
    placed = [keyed(one, policy.document, policy.environment) for one in placed]
    resting = inactive(survey.fleet)
    factors = policy.document.get("environments")
    for key in (policy.environment, "multiply"):
        factors = factors.get(key) if factors is not None else None
    told = [*found, *placed, *more, *ruled, *lost, *resting]
    return in_order([*policy.findings, *(told if factors is None else (_with_factors(one, factors) for one in told))])


_TOO_LARGE = "capacity/larger-than-any-node"


def _reserved(fleet: Fleet) -> frozenset[str]:
    """Return the nodes of which more is kept back than may be filled: `capacity/reserve-over-node` says all of it."""
    return frozenset(
        name
        for name, node in fleet.nodes.items()
        for resource, reserve in node.reserve.items()
        if node.has(resource) and reserve.amount > node.line(resource) and reserve.origin is not Origin.MEASURED
    )


_MULTIPLIED = ("capacity/", "pool/", "quota/", "place/impossible")


def _with_factors(finding: Finding, factors: Node) -> Finding:
    """Return a finding about sums with the factors of the environment that are in them."""
    if not finding.rule.startswith(_MULTIPLIED):
        return finding
    said = f"{finding.subject} {finding.message} {finding.arithmetic}"
    there = [node.place for key, node in factors.items() if key in said or (key == "replicas" and "cop" in said)]
    return replace(finding, also=(*finding.also, *(one for one in there if one not in finding.also)))


def _settled(fleet: Fleet, lock: Placement | None) -> place.Decision:
    """Return the recorded decision if it holds, else a new one, else that nothing is decided."""
    if (len(fleet.instances()) + _ALONE) * len(fleet.nodes) > SMALL:
        return place.Decision(None)
    if lock is not None:
        kept = place.kept(fleet, lock)
        if kept is not None:
            return kept
    return place.decide(fleet, lock)


def _moments(policy: Policy, placement: Placement, *, decided: bool) -> tuple[dict[str, Moment], list[Finding]]:
    """Return the fleet as it is, after each stage and in the end, and what is wrong with the stages."""
    to_be, as_is = numbered(policy.to_be, placement), numbered(policy.as_is, placement)
    there = standing(as_is, placement.seats)
    before, after = Moment.of(AS_IS, as_is, there), Moment.of(TO_BE, to_be, placement.seats)
    cuts, findings = read_cuts(policy.document, to_be)
    if cuts == (WHOLE,):  # one step from today to the end: there is nothing between them to look at
        return {AS_IS: before, TO_BE: after}, findings
    now = state(as_is, there, {name: service.body for name, service in as_is.services.items()})
    then = state(to_be, placement.seats, bodies(to_be, placement))
    taken, untaken = assign(cuts, diff(now, then, reasons(to_be, placement), carried(to_be)))
    stages = staged(as_is, to_be, now, cuts, taken)
    between = {stage.cut.name: Moment(stage.cut.name, stage.fleet, stage.ledger, stage.seats) for stage in stages}
    crossed = order_findings(as_is, to_be, now, stages, before.ledger) if decided else []
    return {AS_IS: before, **between, TO_BE: after}, [*findings, *untaken, *crossed]


def _unexplained(
    conflicts: Iterable[place.Conflict], ruled: Collection[Finding], reserved: Collection[str]
) -> Iterator[place.Conflict]:
    """Yield the conflicts but those that only repeat what a rule tells with a way out; some nodes are all reserve."""
    for conflict in conflicts:
        full = any(line.subject in reserved for line in conflict.lines)
        if not full and not _lacks_disk(conflict, ruled) and not _lacks_cards(conflict, ruled):
            yield conflict


def _lacks_disk(conflict: place.Conflict, ruled: Iterable[Finding]) -> bool:
    """Whether a conflict is about a volume on a disk that nobody has."""
    nowhere = {one.subject for one in ruled if one.rule == "volumes/class-nowhere"}
    return any(line.subject in nowhere and line.detail.startswith(DISK) for line in conflict.lines)


def _lacks_cards(conflict: place.Conflict, ruled: Iterable[Finding]) -> bool:
    """Whether a conflict is one service with more copies than there are cards, which a rule tells with a way out."""
    asked = [line for line in conflict.lines if line.kind == "demand"]
    others = {line.kind for line in conflict.lines} - {"demand", "gpus", "taint", "require", "nodes", "fixed"}
    alone = {line.subject for line in asked}
    if others or len(alone) != 1 or any(line.detail != GPU for line in asked):
        return False
    return any(one.rule == "gpu/fewer-cards" and one.subject in alone for one in ruled)


def impossible(conflict: place.Conflict, fleet: Fleet) -> Finding:
    """Return a conflict as a finding, at the line that its cheapest way out changes, with that way."""
    best = conflict.remedies[0] if conflict.remedies else None
    changed = {*best.path, *_keys(best.value)} if best else set()
    first = next((line for line in conflict.lines if line.subject in changed), conflict.lines[0])
    copies = {
        str(service.name): service.replicas.place
        for service in fleet.services.values()
        if service.replicas.count > 1 and any(line.subject == str(service.name) for line in conflict.lines)
    }
    fewer = {"replicas", "scale"} & changed
    where = copies.get(first.subject, first.place) if fewer else first.place
    places = dict.fromkeys([*(line.place for line in conflict.lines), *copies.values()])
    return error(
        "place/impossible",
        where,
        first.subject,
        conflict.message,
        remedy="" if best else "no single line ends it: ask for less, or add what is missing",
        arithmetic=conflict.arithmetic,
        paste=best.text if best else "",
        also=tuple(one for one in places if one != where),
    )


def _keys(value: object) -> set[str]:
    return set(value) if isinstance(value, dict) else set()
