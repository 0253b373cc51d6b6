"""The table of contents: each stage called once, in order.

read → decide → measure → plan → render
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bayplan import place
from bayplan.check.claims import judged, read_claims
from bayplan.check.inactive import inactive
from bayplan.check.moment import AS_IS, TO_BE, Moment
from bayplan.check.neighbours import lost_names
from bayplan.errors import PolicyError, ViolatedError
from bayplan.finding import Finding, in_order
from bayplan.plan.diff import diff
from bayplan.plan.order import Scene, postpone, proof
from bayplan.plan.order import order as order_stages
from bayplan.plan.plan import Plan, digest
from bayplan.plan.rollout import read_cuts, read_times, waiting_for_facts
from bayplan.plan.setting import in_environment
from bayplan.plan.sides import carried, reasons, renumbered, standing, wished
from bayplan.plan.stages import assign, order_findings, staged
from bayplan.plan.state import state
from bayplan.policy.fleet import Policy, read_policy
from bayplan.policy.observed import too_old
from bayplan.render import tree
from bayplan.render.compose import bodies, compose_files
from bayplan.render.folder import folder
from bayplan.render.node import node_files, node_findings
from bayplan.render.placement import FILE, placement_text, read_placement

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bayplan.model.fleet import Fleet
    from bayplan.model.placement import Placement, Seat
    from bayplan.plan.stages import Stage
    from bayplan.plan.steps import Wave
    from bayplan.workspace import Workspace


def read(space: Workspace, env: str | None = None, max_age: int | None = None) -> Policy:
    """Read a policy and everything it names.

    Args:
        space: its folders.
        env: the environment; may be left out where there is only one.
        max_age: days after which observed facts are too old, if that matters.

    Raises:
        PolicyError: if there is nothing to read.
        UsageError: if the environment is unknown or must be chosen.
    """
    policy = read_policy(space.policy, space.inventory, env)
    if max_age is None:
        return policy
    old = too_old(policy.observed, timedelta(days=max_age), datetime.now(UTC))
    return replace(policy, findings=(*policy.findings, *old))


def stop_if_broken(policy: Policy) -> None:
    """Raise PolicyError, with the findings, if what was read is broken.

    Raises:
        PolicyError: if any finding is an error.
    """
    errors = [finding for finding in policy.findings if finding.is_error]
    if errors:
        many = f"{len(errors)} errors" if len(errors) > 1 else "1 error"
        raise PolicyError(f"{many} in the policy; nothing was planned", in_order(policy.findings))


def recorded(space: Workspace, policy: Policy) -> tuple[Placement | None, tuple[Finding, ...]]:
    """Return the recorded decision of an environment, if there is one."""
    return read_placement(space.compiled / policy.environment / FILE)


def plan(space: Workspace, policy: Policy) -> Plan:
    """Return the plan from what is to what should be.

    Raises:
        PolicyError: if what was read is broken.
    """
    stop_if_broken(policy)
    lock, found = recorded(space, policy)
    decision = place.decide(numbered(policy.to_be, lock), lock)
    return make_plan(policy, decision, lock, found)


def numbered(fleet: Fleet, lock: Placement | None) -> Fleet:
    """Return a fleet whose copies are counted as the recorded decision counts them."""
    return renumbered(fleet, lock.seats) if lock else fleet


def make_plan(
    policy: Policy, decision: place.Decision, lock: Placement | None, found: tuple[Finding, ...] = ()
) -> Plan:
    """Return the plan that follows from a decision."""
    to_be = numbered(policy.to_be, decision.placement or lock)
    as_is = numbered(policy.as_is, decision.placement or lock)
    placement = decision.placement or wished(to_be)
    there = standing(as_is, placement.seats)
    now = state(as_is, there, {name: service.body for name, service in as_is.services.items()})
    then = state(to_be, placement.seats, bodies(to_be, placement))
    changes = diff(now, then, reasons(to_be, placement), carried(to_be))
    cuts, more = read_cuts(policy.document, to_be)
    scene = Scene(as_is, to_be, now, then, changes)
    assigned, untaken = assign(cuts, changes)
    taken, postponed = postpone(scene, cuts, assigned) if decision.placement and not untaken else (assigned, [])
    stages = staged(as_is, to_be, now, cuts, taken)
    before = Moment.of(AS_IS, as_is, there)
    after = Moment.of(TO_BE, to_be, placement.seats)
    between = {stage.cut.name: Moment(stage.cut.name, stage.fleet, stage.ledger, stage.seats) for stage in stages}
    moments = {AS_IS: before, **between, TO_BE: after}
    said = read_claims(policy.document, policy.environment)
    complete = len(placement.seats) == len(to_be.instances())
    claims = judged(said, moments, complete=complete, released=policy.released)
    crossed = order_findings(as_is, to_be, now, stages, before.ledger) if decision.placement else []
    orderly = decision.placement is not None and not (untaken or crossed)
    waves, order = _ordered(scene, stages) if orderly else ((), [])
    waiting = waiting_for_facts(cuts, to_be.nodes, policy.observed)
    lost = lost_names(to_be, placement.seats)
    findings = [
        *policy.findings,
        *found,
        *decision.findings,
        *more,
        *untaken,
        *postponed,
        *claims,
        *crossed,
        *order,
        *waiting,
        *lost,
        *inactive(to_be),
        *node_findings(to_be, placement),
    ]
    confirm_within, keep_source = read_times(policy.document)
    return Plan(
        policy=str(policy.name),
        as_is=as_is,
        to_be=to_be,
        before=before.ledger,
        after=after.ledger,
        placement=decision.placement,
        changes=changes,
        stages=stages,
        waves=waves,
        findings=in_order(findings),
        conflicts=_written(policy, decision.conflicts),
        relocked=_relocked(lock, decision.placement),
        facts={node: facts.keys for node, facts in sorted(policy.observed.items())},
        confirm_within=confirm_within,
        keep_source=keep_source,
    )


def _ordered(scene: Scene, stages: tuple[Stage, ...]) -> tuple[tuple[Wave, ...], list[Finding]]:
    """Return the stages in waves; what is wrong with an order is found by walking through it once more."""
    waves, found = order_stages(scene, stages)
    return waves, [*found, *(proof(scene, waves) if waves else ())]


def _written(policy: Policy, conflicts: tuple[place.Conflict, ...]) -> tuple[place.Conflict, ...]:
    """Return the conflicts with remedies that can be pasted into this policy as it is."""
    if policy.document.get("environments") is None:
        return conflicts
    return tuple(in_environment(one, policy.environment, policy.factors) for one in conflicts)


def _relocked(lock: Placement | None, placement: Placement | None) -> dict[str, str]:
    """Return copy → `from → to` where a plan differs from the recorded decision."""
    if lock is None or placement is None:
        return {}
    return {
        str(copy): f"{_seat(lock.seats.get(copy))} → {_seat(placement.seats.get(copy))}"
        for copy in sorted({*lock.seats, *placement.seats})
        if lock.seats.get(copy) != placement.seats.get(copy)
    }


def _seat(seat: Seat | None) -> str:
    if seat is None:
        return "nowhere"
    return seat.node + (f" card {', '.join(map(str, seat.gpus))}" if seat.gpus else "")


def compiled(policy: Policy, placement: Placement) -> dict[str, str]:
    """Return the compiled tree of an environment: path → text, without the manifest."""
    return _compiled(policy.to_be, placement, str(policy.name))


def compiled_files(made: Plan) -> dict[str, str]:
    """Return the compiled files of a plan; none if it cannot hold."""
    return {} if made.placement is None else _compiled(made.to_be, made.placement, made.policy)


def _compiled(fleet: Fleet, placement: Placement, name: str) -> dict[str, str]:
    shown = f"policies/{name}"
    files = {**compose_files(fleet, placement, shown), **node_files(fleet, placement, shown)}
    return {FILE: placement_text(placement, shown), **files}


@dataclass(frozen=True, slots=True)
class Stale:
    """Why a compiled tree is out of date: the decision no longer holds, or files differ."""

    difference: tree.Difference
    findings: tuple[Finding, ...] = ()


def stale(space: Workspace, policy: Policy) -> Stale:
    """Return how the compiled tree differs from what the policy and the recorded decision give, without solving."""
    stop_if_broken(policy)
    placement, found = recorded(space, policy)
    root = space.compiled / policy.environment
    if placement is None:
        return Stale(tree.Difference(missing=(FILE,)), found)
    broken = tuple(one for one in place.verify(policy.to_be, placement) if one.is_error)
    if broken:
        return Stale(tree.Difference(), (*found, *broken))
    return Stale(tree.difference(root, compiled(policy, placement)), found)


def decide_or_keep(space: Workspace, policy: Policy, *, replan: bool) -> tuple[Placement, str]:
    """Return the recorded decision if it holds, else a new one, and a sentence about what was done.

    Raises:
        PolicyError: if what was read is broken.
        ViolatedError: if the policy cannot hold; the findings say why.
    """
    stop_if_broken(policy)
    lock, found = recorded(space, policy)
    if found and not replan:  # what was decided is unknown: deciding anew unasked could move anything
        raise PolicyError("the recorded decision cannot be read; nothing was written", found)
    if lock is not None and not replan and not any(one.is_error for one in place.verify(policy.to_be, lock)):
        return lock, ""
    decision = place.decide(numbered(policy.to_be, lock), lock)
    made = make_plan(policy, decision, lock)
    if decision.placement is None or not made.holds:
        raise ViolatedError("the policy cannot hold; bayplan plan shows why and the ways out", made.findings)
    reason = (
        "decided"
        if lock is None
        else "decided anew, as asked"
        if replan
        else "the recorded decision no longer held: decided anew"
    )
    return decision.placement, reason


def plan_digest(files: Mapping[str, str], made: Plan) -> str:
    """Return the digest of a plan: over the compiled files, what stands today, and what is done in which order."""
    today = {f"as-is/{copy}": node for copy, node in made.as_is.standing.items()}
    seen = {f"fact/{node}/{key}": text for node, keys in made.facts.items() for key, text in keys.items()}
    changes = {f"change/{n}": repr(change) for n, change in enumerate(made.changes)}
    waves = {f"wave/{wave.number}": repr(wave) for wave in made.waves}
    return digest({**files, **today, **seen, **changes, **waves})


def save(space: Workspace, made: Plan) -> Path:
    """Write a plan to the folder that is named by what it follows from, and return that folder."""
    files = compiled_files(made)
    name = plan_digest(files, made)
    about = {"fleet": made.to_be.name, "environment": made.to_be.environment}
    tree.write(space.plans / name, folder(made, name, files), about)
    return space.plans / name
