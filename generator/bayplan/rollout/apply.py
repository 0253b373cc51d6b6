"""Applying and taking back a plan: one playbook each, and what its end means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bayplan.errors import Exit
from bayplan.rollout.collection import playbook
from bayplan.rollout.runner import Result, run
from bayplan.rollout.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from bayplan.rollout.bundle import Bundle


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended: the exit code, and a sentence that says what to do next."""

    exit_code: Exit | int
    words: str


_LOCK = "bayplan.fleet.lease"
_REFUSED = {"stale", "locked"}
"""Outcomes that come before anything was begun; preflight has given its locks back then."""


def apply(
    bundle: Bundle,
    say: Callable[[str], None],
    *,
    inventory: Path | None = None,
    limit: Sequence[str] = (),
    check: bool = False,
    diff: bool = False,
    resume: bool = False,
) -> Outcome:
    """Run the plan's playbook and say how it ended."""
    options = [*(["--check"] if check else []), *(["--diff"] if diff else []), *_limited(limit)]
    result = _run(bundle, "playbook.yml", say, inventory, options, {"preflight_resume": resume}, diff=diff)
    if _left_locked(result, check=check):
        _unlock(bundle, inventory, limit)
    return outcome(result, f"bayplan apply {bundle.folder}", checked=check)


def rollback(
    bundle: Bundle,
    say: Callable[[str], None],
    *,
    inventory: Path | None = None,
    check: bool = False,
    diff: bool = False,
) -> Outcome:
    """Run the plan's way back and say how it ended."""
    options = [*(["--check"] if check else []), *(["--diff"] if diff else [])]
    result = _run(bundle, "rollback.yml", say, inventory, options, {"preflight_resume": True}, diff=diff)
    if _left_locked(result, check=check):
        _unlock(bundle, inventory, ())
    return outcome(result, f"bayplan rollback {bundle.folder}", checked=check, back=True)


def _run(
    bundle: Bundle,
    name: str,
    say: Callable[[str], None],
    inventory: Path | None,
    options: Sequence[str],
    extravars: dict[str, Any],
    *,
    diff: bool,
) -> Result:
    file = bundle.folder.resolve() / name
    return run(
        file,
        bundle.inventory(inventory).resolve(),
        extravars,
        Timeline(say, check="--check" in options, diff=diff),
        options,
    )


def _limited(limit: Sequence[str]) -> list[str]:
    return ["--limit", ",".join(limit)] if limit else []


def _left_locked(result: Result, *, check: bool) -> bool:
    """Whether a run that failed may have left locks."""
    return bool(result.code) and not check and _locked(result) and not result.outcomes & _REFUSED


def _locked(result: Result) -> bool:
    """Whether a run took a lock and did not give it back; before that it only looks."""
    return any((actions.get(_LOCK) or {}).get("lease") for actions in result.returned.values())


def _unlock(bundle: Bundle, inventory: Path | None, limit: Sequence[str]) -> None:
    """Give the nodes' locks back after a failure, where they can be reached; the others' leases run out."""
    given = {"finish_plan": str(bundle.folder.resolve()), "finish_failed": True}
    run(playbook("unlock"), bundle.inventory(inventory).resolve(), given, None, _limited(limit))


_BYSTANDER = "another node failed"
"""What the role says on a node that was only stopped because of another."""


def outcome(result: Result, again: str, *, checked: bool = False, back: bool = False) -> Outcome:
    """Return what a result means: exit code and next step."""
    done = "taken back" if back else "applied"
    if result.code == 0:
        many = sum(result.changed.values())
        if checked:
            return Outcome(Exit.FINE, "checked: nothing was touched")
        return Outcome(Exit.FINE, f"{done}" if many else f"{done}: nothing had to change")
    told = {**result.failed, **result.unreachable}
    reasons = [f"{node}: {words}" for node, words in told.items() if words != _BYSTANDER]
    reason = "; ".join(reasons) or result.output.strip() or "ansible-playbook said nothing"
    if result.stopped:
        return Outcome(130, f"stopped; {again} --resume goes on, bayplan rollback takes it back")
    if "stale" in result.outcomes:
        return Outcome(Exit.STALE, f"stale, nothing was touched: {reason}")
    if "locked" in result.outcomes:
        return Outcome(Exit.ERROR, f"locked, nothing was touched: {reason}")
    if "held" in result.outcomes:
        return Outcome(Exit.HELD, f"held for a person: {reason}")
    if "rolled-back" in result.outcomes:
        return Outcome(Exit.ROLLED_BACK, f"one step was taken back, the rest was not begun: {reason}")
    if result.unreachable:
        nodes = ", ".join(sorted(result.unreachable))
        if not _locked(result):
            return Outcome(Exit.ERROR, f"unreachable: {nodes}; nothing was touched. {reason}")
        return Outcome(Exit.ERROR, f"unreachable: {nodes}; no other node goes on. {reason}. {again} --resume goes on")
    return Outcome(Exit.ERROR, f"not {done}: {reason}")
