"""Whether a service is what it should be: copies, running, healthy, and held to its limits by the kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible_collections.bayplan.fleet.plugins.module_utils import limits, moment, show
from ansible_collections.bayplan.fleet.plugins.module_utils.containers import Kernel, fact, is_running
from ansible_collections.bayplan.fleet.plugins.module_utils.ready import is_done, verdict

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence


def wrong(
    wanted: Mapping[str, Any],
    found: Sequence[Mapping[str, Any]],
    kernel: Kernel,
    stable_for: float,
    asleep: Container[str] = (),
) -> list[str]:
    """Return everything in which the containers of a service are not as wanted; nothing: it holds.

    Args:
        wanted: project, service, copies, run (`always` or `on-demand`), limits.
        found: what Docker says of its containers.
        kernel: how to read the kernel's files.
        stable_for: seconds for which a container has to have run.
        asleep: ids of containers that we stopped: they have not done what they were for.
    """
    name = f"{wanted['project']}/{wanted['service']}"
    copies, rests = int(wanted.get("copies") or 1), wanted.get("run") == "on-demand"
    said = [] if len(found) == copies else [f"{name}: {len(found)} containers, {copies} are wanted"]
    for one in found:
        if not (rests and not is_running(one)):
            said += [f"{name}: {why}" for why in _unsteady(one, stable_for, asleep)]
        said += [f"{name}: {why}" for why in _limits(wanted.get("limits"), one, kernel)]
    return said


def _unsteady(inspected: Mapping[str, Any], stable_for: float, asleep: Container[str]) -> list[str]:
    up, why = verdict(inspected, moment.wall(), asleep)
    if not up:
        return [why.replace("failed: ", "")]
    if is_done(inspected, asleep):
        return []
    age = moment.wall() - moment.seconds_of(inspected["State"]["StartedAt"])
    return [f"it has run for {age:.1f} of {stable_for:g} s"] if 0 <= age < stable_for else []


def _limits(wanted: Mapping[str, Any] | None, inspected: Mapping[str, Any], kernel: Kernel) -> list[str]:
    if wanted is None:
        return []
    found = fact(inspected, kernel)
    mine = limits.normal(wanted, kernel.every)
    version = 1 if "memory" in kernel.where else 2
    recorded = limits.differences(mine, found["configured"], version)
    if recorded:
        return [f"{show.differences(recorded)} in Docker's record"]
    if found["kernel"] is None:
        return []
    held = limits.differences(mine, found["kernel"], version, kernel=True)
    return [f"{show.differences(held)} in the kernel"] if held else []
