"""Whether containers have come up: read from what they do, not from how a command ended."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ansible_collections.bayplan.fleet.plugins.module_utils import engine, moment
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import NodeError

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

_STEADY = 2.0
"""Seconds that a container without a health check has to run before it counts as up."""
_STEADY_AGAIN = 10.0
"""Likewise, if it was restarted before."""
_ENOUGH = 3
"""Restarts after which waiting does not help: the first may have come too early for what it depends on."""
_PAUSE = 0.25


def is_done(inspected: Mapping[str, Any], asleep: Container[str] = ()) -> bool:
    """Whether a container has done what it was for: it runs once, and ended well.

    One that has a health check is meant to go on, and so is one that we stopped: it looks the same otherwise.

    Args:
        inspected: what Docker says.
        asleep: ids of containers that we stopped.
    """
    policy = (inspected["HostConfig"].get("RestartPolicy") or {}).get("Name") or "no"
    check = (inspected["Config"].get("Healthcheck") or {}).get("Test") or ["NONE"]
    state = inspected["State"]
    once = policy in ("no", "on-failure") and check[0] == "NONE" and inspected["Id"] not in asleep
    return once and state["Status"] == "exited" and not state["ExitCode"]


def verdict(inspected: Mapping[str, Any], wall: float, asleep: Container[str] = ()) -> tuple[bool, str]:
    """Return whether a container is up, and why it is not (yet); `failed: …` where waiting does not help."""
    state = inspected["State"]
    health = (state.get("Health") or {}).get("Status") or ""
    restarts = int(inspected.get("RestartCount") or 0)
    if is_done(inspected, asleep):
        return True, ""
    age = wall - moment.seconds_of(state["StartedAt"])
    fresh = 0 <= age < (_STEADY_AGAIN if restarts else _STEADY)
    if state["Status"] == "restarting" or (restarts and fresh and health != "healthy"):
        hopeless = "failed: " if restarts >= _ENOUGH else ""
        return False, f"{hopeless}it ended with {state['ExitCode']} and was restarted {restarts} times"
    if state["Status"] != "running":
        return False, f"failed: it is {state['Status']}, exit code {state['ExitCode']}"
    if health == "unhealthy":
        log = (state["Health"].get("Log") or [{}])[-1]
        return False, f"failed: its health check says no: {' '.join(str(log.get('Output', '')).split())[:200]}"
    if health == "healthy":
        return True, ""
    if health == "starting":
        return False, "its health check has not passed yet"
    return (False, "it has just started") if fresh else (True, "")


def wait(project: str, service: str, copies: int, timeout: float) -> None:
    """Wait until all copies of a service are up.

    Raises:
        NodeError: if one fails, or the time is over.
    """
    end = time.monotonic() + timeout
    while True:
        found = engine.of_service(project, service)
        said = [(one["Name"].lstrip("/"), *verdict(one, moment.wall())) for one in found]
        waiting = [f"{name}: {why}" for name, up, why in said if not up]
        if len(found) < copies:
            waiting.append(f"{len(found)} of {copies} containers are there")
        if not waiting:
            return
        hopeless = any(why.startswith("failed: ") for _, _, why in said)
        if hopeless or time.monotonic() > end:
            words = "; ".join(waiting).replace("failed: ", "")
            late = "" if hopeless else f" within {timeout:g} s"
            raise NodeError(f"{project}/{service} did not come up{late}: {words}", logs=logs(found))
        time.sleep(_PAUSE)


def logs(containers: list[dict[str, Any]]) -> dict[str, str]:
    """Return the last words of containers that are not up: once they are replaced, nobody can ask them."""
    failed = [one for one in containers if not verdict(one, moment.wall())[0]]
    said = {one["Name"].lstrip("/"): engine.docker("logs", "--tail", "10", one["Id"], check=False) for one in failed}
    return {name: (done.out + done.err)[-2000:] for name, done in said.items()}
