"""Stopping containers so that what they wrote is whole, and so that nothing wakes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible_collections.bayplan.fleet.plugins.module_utils import containers, engine, postgres, state
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import NodeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

GRACE = 60
"""Seconds to end in, for a container that does not say."""
_KILLED = 137
_OLDEST = 23
"""From this version on, docker stop takes a signal."""


def signal_of(inspected: Mapping[str, Any]) -> str:
    """Return the signal that a container needs another than its own; empty: its own is right.

    PostgreSQL waits for its clients on SIGTERM, for ever where they have a pool; SIGINT ends it cleanly at once.
    """
    own = inspected["Config"].get("StopSignal") or ""
    return "SIGINT" if postgres.data_folder(inspected) and own in ("", "SIGTERM", "15", "TERM") else ""


def disarm(inspected: Mapping[str, Any], name: str, file: Path) -> None:
    """Note that we stop a container, and take its restart policy away: Docker revives `always` when it starts."""
    policy = inspected["HostConfig"].get("RestartPolicy") or {}
    kind, most = policy.get("Name") or "no", policy.get("MaximumRetryCount") or 0
    known = dict(state.read(file)["disarmed"].get(name) or {})
    if kind == "no":
        known.setdefault(inspected["Id"], "no")
    else:
        known[inspected["Id"]] = f"{kind}:{most}" if most else kind
    state.put(file, "disarmed", name, known)  # noted first: a policy that is gone and forgotten cannot be put back
    if kind != "no":
        engine.docker("update", "--restart", "no", inspected["Id"])


def rearm(name: str, found: Sequence[Mapping[str, Any]], file: Path) -> None:
    """Give the containers of a service their restart policies back."""
    known = state.read(file)["disarmed"].get(name) or {}
    for one in found:
        if known.get(one["Id"], "no") != "no":
            engine.docker("update", "--restart", known[one["Id"]], one["Id"])
    state.put(file, "disarmed", name, None)


def stop(inspected: Mapping[str, Any], *, stateful: bool = False) -> int:
    """Stop a container and return its exit code.

    Raises:
        NodeError: if a database did not end cleanly, or a `stateful` service had to be killed.
    """
    name = inspected["Name"].lstrip("/")
    signal, grace = signal_of(inspected), inspected["Config"].get("StopTimeout")
    grace = GRACE if grace is None else int(grace)
    if signal and int(engine.info()["ServerVersion"].partition(".")[0]) < _OLDEST:
        raise NodeError(f"{name} must be stopped with {signal}", f"set stop_signal: {signal}, or update Docker to 23")
    words = ["stop", "-t", str(grace), *(["-s", signal] if signal else []), inspected["Id"]]
    engine.docker(*words, timeout=grace + 60)
    now = next(iter(engine.inspect("container", [inspected["Id"]])), None)
    if now is None:
        return 0
    if containers.is_running(now):
        raise NodeError(f"{name} runs although it was stopped", "see who starts it again")
    code = int(now["State"]["ExitCode"])
    if why := dirty(now, code, stateful=stateful):
        raise NodeError(f"{name} was stopped, but not cleanly: {why}", "start it again and look at its log", code=code)
    return code


def dirty(inspected: Mapping[str, Any], code: int, *, stateful: bool) -> str:
    """Return why the data of a stopped container cannot be trusted; empty: it can."""
    if postgres.data_folder(inspected):
        folder = postgres.on_node(inspected)
        why = postgres.unclean(folder) if folder else ""
        return f"it ended with {code}" if code else why
    own_signal = inspected["Config"].get("StopSignal") or ""
    if stateful and code == _KILLED and own_signal not in ("SIGKILL", "KILL", "9"):
        return "it did not end within its grace period and was killed"
    return ""


def remove(inspected: Mapping[str, Any]) -> None:
    """Remove a stopped container; its volumes stay."""
    done = engine.docker("rm", inspected["Id"], check=False)
    if done.code and "no such container" not in done.err.lower():
        raise NodeError(f"{inspected['Name'].lstrip('/')} cannot be removed: {done.last}")
