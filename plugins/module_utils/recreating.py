"""recreated, started, rested: a service becomes what the release says; what fails goes back to what it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from ansible_collections.bayplan.fleet.plugins.module_utils import (
    addresses,
    containers,
    definition,
    earlier,
    engine,
    limiter,
    ready,
    show,
    state,
    stopping,
)
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import HELD, ROLLED_BACK, NodeError
from ansible_collections.bayplan.fleet.plugins.module_utils.stage import image_of

if TYPE_CHECKING:
    from ansible_collections.bayplan.fleet.plugins.module_utils.definition import Wanted
    from ansible_collections.bayplan.fleet.plugins.module_utils.item import Item
    from ansible_collections.bayplan.fleet.plugins.module_utils.project import Project
    from ansible_collections.bayplan.fleet.plugins.module_utils.stage import Stage


@dataclass(frozen=True)
class Due:
    """What a service lacks: containers of its definition, their number, and that they run or do not."""

    replace: list[str]
    count: list[str]
    run: list[str]

    @property
    def why(self) -> list[str]:
        """Return all of it in words."""
        return [*self.replace, *self.count, *self.run]


def due(stage: Stage, one: Item, found: list[dict[str, Any]], wanted: Wanted, *, running: bool) -> Due:
    """Return what a service lacks.

    We compare ourselves and tell Compose what to do: it would replace a service for the sake of a label that differs
    because the service was once started together with those that it depends on.
    """
    ids, asleep = set(engine.docker("ps", "-aq", "--no-trunc").out.split()), state.asleep(stage.state)
    replace = definition.due(one, found, wanted, stage.kernel, ids)
    count = [f"{len(found)} containers, {one.copies} wanted"] if len(found) != one.copies else []
    run: list[str] = []
    for each in found:
        number, up = containers.number_of(each), containers.is_running(each)
        policy = (each["HostConfig"].get("RestartPolicy") or {}).get("Name") or "no"
        if running and not up and not ready.is_done(each, asleep):
            run.append(f"container {number} does not run")
        if not running and up:
            run.append(f"container {number} runs")
        if not running and each["State"]["Status"] != "created" and policy == "always":
            run.append(f"container {number} would start with the node")
    return Due(replace, count, run)


def fetch(stage: Stage, one: Item, project: Project, wanted: Wanted) -> None:
    """Have the image here before anything is stopped."""
    if wanted.image_id:
        return
    name = image_of(wanted.spec, one)
    with stage.hand.noted("pull", one.step, one.name, image=name):
        done = project.pull(one.service)
        if not engine.image_id(name):
            why = done.last or "nothing was pulled"
            raise NodeError(f"the image {name} of {one.name} is not here and cannot be fetched: {why}", _FETCH)


_FETCH = "check its name and the registry; nothing was stopped"


def recreate(stage: Stage, one: Item, found: list[dict[str, Any]], project: Project, wanted: Wanted) -> None:
    """Make a service what the release says, and have it up; put back what was there if it does not come up."""
    fetch(stage, one, project, wanted)
    lacks = due(stage, one, found, stage.wanted(one, project), running=True)
    kept = earlier.keep(found)
    try:
        if lacks.replace or not found:
            for each in found:
                if stopping.signal_of(each) and containers.is_running(each):
                    stopping.stop(each)  # Compose would use the signal that its clients outlive
            _up(stage, one, project, "--force-recreate")
        elif lacks.count:
            _up(stage, one, project, "--no-recreate")
        else:
            start(stage, one, found)
        _prove(stage, one)
    except NodeError as fault:
        _put_back(stage, one, found, kept, fault)
    stopping.rearm(one.name, stage.containers(one), stage.state)
    if lacks.replace:
        state.put(stage.state, "settled", one.name, None)


def start(stage: Stage, one: Item, found: list[dict[str, Any]]) -> None:
    """Start the containers that are there, as they are."""
    stopping.rearm(one.name, found, stage.state)
    with addresses.freed((claim for each in found for claim in addresses.fixed(each)), found):
        engine.docker("start", *(each["Id"] for each in found))
    ready.wait(one.project, one.service, len(found), stage.timeout)


def rest(stage: Stage, one: Item, found: list[dict[str, Any]], project: Project, wanted: Wanted) -> None:
    """Have the containers of a service made and not running."""
    fetch(stage, one, project, wanted)
    for each in found:
        stopping.disarm(each, one.name, stage.state)
        if containers.is_running(each):
            stopping.stop(each, stateful=stage.stateful)
    lacks = due(stage, one, found, stage.wanted(one, project), running=False)
    if lacks.replace or lacks.count or not found:
        project.up(one.service, "--force-recreate")
        state.put(stage.state, "disarmed", one.name, None)  # made and never started: nothing starts them
        state.put(stage.state, "settled", one.name, None)
    now = stage.containers(one)
    if [each for each in now if containers.is_running(each)] or len(now) != one.copies:
        raise NodeError(f"{one.name} should be made and not running; it has {len(now)} containers")


def _up(stage: Stage, one: Item, project: Project, how: str) -> None:
    with addresses.freed(project.addresses(one.service), stage.containers(one)):
        done = project.up(one.service, how, wait=stage.timeout, check=False)
    found = stage.containers(one)
    if done.code and not (found and all(ready.is_done(each) for each in found)):
        raise NodeError(f"{one.name} did not come up: {done.last}", logs=ready.logs(found))


def _prove(stage: Stage, one: Item) -> None:
    """Believe containers and kernel: as many as planned, up, and held to the limits that were planned."""
    ready.wait(one.project, one.service, one.copies, stage.timeout)
    found = stage.containers(one)
    if len(found) != one.copies:
        raise NodeError(f"{one.name} has {len(found)} containers, {one.copies} were planned")
    for each in found:
        keys = limiter.due(each, one.after, stage.kernel) if one.after is not None else set()
        if keys:
            seen, mine = containers.fact(each, stage.kernel), one.after or {}
            is_ = {key: (mine.get(key), (seen["kernel"] or seen["configured"]).get(key)) for key in sorted(keys)}
            raise NodeError(f"{one.name} came up with other limits than planned: {show.differences(is_)}")


def _put_back(stage: Stage, one: Item, found: list[dict[str, Any]], kept: dict[str, str], fault: NodeError) -> NoReturn:
    """Bring back what was there, and say so only if it is."""
    stage.hand.note("begin", "rollback", one.step, one.name, {"msg": str(fault)})
    try:
        differences = earlier.put_back(stage, one.project, one.service, found, kept)
    except NodeError as other:
        differences = [str(other)]
    if differences:
        stage.hand.note("failed", "rollback", one.step, one.name, {"differences": differences})
        words = f"{fault}; what was there before could not be put back: {'; '.join(differences)}"
        raise NodeError(words, "look at it before anything else is done", HELD, **fault.data)
    stage.hand.note("done", "rollback", one.step, one.name)
    raise NodeError(f"{fault}; what was there before is back", "", ROLLED_BACK, **fault.data)
