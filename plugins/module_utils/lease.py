"""Who may act on a node: one run at a time, for a while that it has to renew."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ansible_collections.bayplan.fleet.plugins.module_utils import files, moment
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import LOCKED, NodeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


def made(plan: str, run: str, owner: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    """Return a lease from now on. Its end is kept by the clock since boot: that one cannot be set."""
    return {
        "plan": plan,
        "run": run,
        "owner": dict(owner),
        "seconds": seconds,
        "taken": moment.now(),
        "boot": moment.boot(),
        "ends": round(moment.since_boot() + seconds, 3),
        "until": moment.later(seconds),
    }


def read(path: Path) -> dict[str, Any] | None:
    """Return the lease on a node, with `alive`; None: nobody holds it."""
    found = files.json_of(path)
    if not isinstance(found, dict):
        return None
    return {**found, "alive": is_alive(found, moment.boot(), moment.since_boot(), moment.wall())}


def is_alive(lease: Mapping[str, Any], boot: str, since_boot: float, wall: float) -> bool:
    """Whether a lease still holds.

    After a restart of the node only the clock on the wall is left; one that was set back must not make it longer.
    """
    if lease.get("boot") == boot:
        return float(lease["ends"]) > since_boot
    left = moment.seconds_of(str(lease["until"])) - wall
    return 0 < left <= float(lease["seconds"])


def refusal(lease: Mapping[str, Any], plan: str, run: str, *, resume: bool, dead: str) -> str:
    """Return why a run may not take a node from who holds it; empty: it may."""
    owner = lease.get("owner") or {}
    who = f"{owner.get('user') or 'somebody'} on {owner.get('host') or 'another machine'}"
    if lease["run"] == run or not lease["alive"]:
        return ""
    if resume and dead and lease["run"] == dead and lease["plan"] == plan:
        return ""
    if resume and dead and lease["run"] == dead:
        return f"run {dead} left plan {lease['plan']} unfinished; resume that one, or wait until {lease['until']}"
    return f"{who} is at work here with plan {lease['plan']}; wait, or try again after {lease['until']}"


def held(
    path: Path, plan: str, run: str, owner: Mapping[str, Any], seconds: float, *, resume: bool = False, dead: str = ""
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Take or renew the lease; return it, and the one that it was taken from.

    Raises:
        NodeError: if another run holds it.
    """
    with alone(path):
        before = read(path)
        if before and (why := refusal(before, plan, run, resume=resume, dead=dead)):
            raise NodeError(why, outcome=LOCKED, holder=before)
        fresh = made(plan, run, owner, seconds)
        if before and before["run"] == run:
            fresh["taken"] = before.get("taken") or fresh["taken"]
        files.write_json(path, fresh)
    return fresh, before if before and before["run"] != run else None


def renewed(path: Path, run: str) -> None:
    """Make the own lease as long again as it was.

    Raises:
        NodeError: if another run holds the node.
    """
    with alone(path):
        found = read(path)
        if found and found["run"] == run:
            fresh = made(found["plan"], run, found["owner"], float(found["seconds"]))
            files.write_json(path, {**fresh, "taken": found.get("taken")})
        elif found and found["alive"]:
            raise NodeError(refusal(found, "", run, resume=False, dead=""), outcome=LOCKED, holder=found)


def freed(path: Path, run: str) -> bool:
    """Give the own lease back; whether there was one. Another's is left alone."""
    if read(path) is None:
        return False  # a node that was never locked is left without a trace
    with alone(path):
        found = read(path)
        return bool(found and found["run"] == run and files.remove(path))


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Let one process at a time look at the lease and change it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.flock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
