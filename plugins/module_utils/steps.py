"""The services of a wave, one after the other: what each lacks, what is done about it, and what is told of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ansible_collections.bayplan.fleet.plugins.module_utils import (
    containers,
    definition,
    ready,
    recreating,
    resizing,
    state,
    stopping,
)
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import NodeError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ansible_collections.bayplan.fleet.plugins.module_utils.definition import Wanted
    from ansible_collections.bayplan.fleet.plugins.module_utils.item import Item
    from ansible_collections.bayplan.fleet.plugins.module_utils.project import Project
    from ansible_collections.bayplan.fleet.plugins.module_utils.stage import Stage

    Found = list[dict[str, Any]]

STATES = {
    "fetched": "fetch",
    "resized": "resize",
    "recreated": "recreate",
    "started": "start",
    "stopped": "stop",
    "rested": "rest",
    "removed": "remove",
}
"""State that services are brought into → what the journal calls it."""


@dataclass(frozen=True)
class Step:
    """What is to be done about one service.

    Attributes:
        why: what it lacks; nothing: it is as it should be.
        act: does it.
        running: whether it runs afterwards; None: as before.
        copies: how many containers there are afterwards; None: as the plan says.
        image: what they run afterwards; empty: as before.
    """

    why: list[str]
    act: Callable[[], None]
    running: bool | None = None
    copies: int | None = None
    image: str = ""


def run(stage: Stage, kind: str, items: Sequence[Item]) -> dict[str, Any]:
    """Bring services into a state; stop at the first that fails, and tell what was done until then."""
    done: list[dict[str, Any]] = []
    diffs: list[dict[str, Any]] = []
    for one in items:
        try:
            told, diff = _item(stage, kind, one)
        except NodeError as fault:
            changed = any(each["changed"] for each in done)
            fault.data = {**fault.data, "items": done, "failed_item": one.step or one.name, "changed": changed}
            raise
        done.append(told)
        diffs += [diff] if diff["before"] != diff["after"] else []
    return {"changed": any(each["changed"] for each in done), "items": done, "diff": diffs, "state": kind}


def _item(stage: Stage, kind: str, one: Item) -> tuple[dict[str, Any], dict[str, Any]]:
    start, found = time.monotonic(), stage.containers(one)
    before = [containers.fact(each, stage.kernel) for each in found]
    picture = definition.picture(found, stage.kernel)
    gone = not found and kind != "started" and (stage.hand.home.fences / one.fence).exists()
    # A resumed plan comes by again: what it has done stays done, and what has left since is not looked for.
    step = Step([], lambda: None) if gone or _was_done(stage, kind, one) else _STEPS[kind](stage, one, found)
    if stage.hand.checking:
        after = _expected(stage, one, found, step) if step.why else picture
    else:
        if step.why:
            limits = {each["name"]: each["kernel"] or each["configured"] for each in before}
            with stage.hand.noted(STATES[kind], one.step, one.name, why=step.why, before=limits) as noted:
                step.act()
                noted["seconds"] = round(time.monotonic() - start, 2)
        found = stage.containers(one)
        after = definition.picture(found, stage.kernel)
    msg = "; ".join(step.why) or "nothing to do"
    if kind == "resized" and not stage.hand.checking and (open_ := resizing.settle(stage, one, found)):
        msg = f"{msg}; {open_}"
    now = [containers.fact(each, stage.kernel) for each in found]
    told = {
        "id": one.step,
        "service": one.name,
        "changed": bool(step.why),
        "seconds": round(time.monotonic() - start, 2),
        "containers": [_told(each, before) for each in now],
        "msg": msg,
    }
    header = {"before_header": f"{one.name} as it is", "after_header": f"{one.name} as planned"}
    return told, {**header, "before": picture, "after": after}


def _was_done(stage: Stage, kind: str, one: Item) -> bool:
    """Whether this plan has done this step before, and was not taken back since; a later wave may have gone on."""
    return kind in _ONCE and bool(one.step) and (STATES[kind], one.step) in stage.done


_ONCE = ("resized", "recreated", "rested")


def _told(now: dict[str, Any], before: list[dict[str, Any]]) -> dict[str, Any]:
    then = next((each for each in before if each["number"] == now["number"]), None)
    return {
        **{key: now[key] for key in ("id", "number", "state", "exit_code")},
        "before": (then["kernel"] or then["configured"]) if then else None,
        "after": now["kernel"] or now["configured"],
    }


def _expected(stage: Stage, one: Item, found: Found, step: Step) -> str:
    copies = one.copies if step.copies is None else step.copies
    return definition.expected(one, found[:copies], stage.kernel, copies=copies, running=step.running, image=step.image)


def _resized(stage: Stage, one: Item, found: Found) -> Step:
    why = resizing.due(stage, one, found)
    return Step(why, lambda: resizing.act(stage, one, found), copies=len(found))


def _recreated(stage: Stage, one: Item, found: Found) -> Step:
    return _made(stage, one, found, recreating.recreate, running=True)


def _rested(stage: Stage, one: Item, found: Found) -> Step:
    return _made(stage, one, found, recreating.rest, running=False)


def _started(stage: Stage, one: Item, found: Found) -> Step:
    if not found or stage.project(one) is not None:
        return _made(stage, one, found, recreating.recreate, running=True)
    # The release has moved it elsewhere, and it is called back: what stands here stopped is what ran here before.
    stage.refuse(one, [])
    asleep = state.asleep(stage.state)
    down = [each for each in found if not containers.is_running(each) and not ready.is_done(each, asleep)]
    why = [f"container {containers.number_of(each)} does not run" for each in down]
    armed = [] if one.name not in state.read(stage.state)["disarmed"] else ["its restart policy was taken away"]
    return Step(why or armed, lambda: recreating.start(stage, one, found), running=True, copies=len(found))


def _fetched(stage: Stage, one: Item, found: Found) -> Step:
    """Return the step that has a service's image here, so that nobody waits for it while the service is down."""
    project = stage.project(one)
    if project is None:
        return Step([], lambda: None, copies=len(found))
    wanted = stage.wanted(one, project)
    why = [] if wanted.image_id else ["its image is not here"]
    return Step(why, lambda: recreating.fetch(stage, one, project, wanted), copies=len(found))


def _stopped(stage: Stage, one: Item, found: Found) -> Step:
    running = [each for each in found if containers.is_running(each)]
    armed = [
        each for each in found if (each["HostConfig"].get("RestartPolicy") or {}).get("Name") not in ("no", "", None)
    ]
    for each in found:
        code = int(each["State"]["ExitCode"])
        if each["State"]["Status"] == "exited" and (dirty := stopping.dirty(each, code, stateful=stage.stateful)):
            raise NodeError(f"{one.name} is stopped, but not cleanly: {dirty}", "start it and look at its log first")

    def act() -> None:
        for each in found:
            stopping.disarm(each, one.name, stage.state)
        for each in running:
            stopping.stop(each, stateful=stage.stateful)

    why = [f"container {containers.number_of(each)} runs" for each in running]
    why = why or [f"{each['Name'][1:]} would start with the node" for each in armed]
    return Step(why, act, running=False, copies=len(found))


def _removed(stage: Stage, one: Item, found: Found) -> Step:
    stop = _stopped(stage, one, found) if stage.stateful else None

    def act() -> None:
        if stop:
            stop.act()
        for each in found:
            if containers.is_running(each) and not stop:
                stopping.disarm(each, one.name, stage.state)
                stopping.stop(each)
            stopping.remove(each)
        for part in ("settled", "disarmed"):
            state.put(stage.state, part, one.name, None)

    return Step([f"container {containers.number_of(each)} is there" for each in found], act, running=False, copies=0)


def _made(
    stage: Stage,
    one: Item,
    found: Found,
    act: Callable[[Stage, Item, Found, Project, Wanted], None],
    *,
    running: bool,
) -> Step:
    """Return the step to what the release says of a service."""
    project = stage.project(one)
    if project is None:
        stage.refuse(one, [])
        if stage.hand.checking:  # the release is not written in check mode; what differs is known from the limits alone
            return Step(["the release is not here yet"], lambda: None, running)
        known = stage.release or "(none)"
        raise NodeError(f"release {known} says nothing of {one.name}", "bring the files first: release state=present")
    wanted = stage.wanted(one, project)
    stage.refuse(one, wanted.places)
    why = recreating.due(stage, one, found, wanted, running=running).why
    image = str(wanted.spec.get("image") or "")
    return Step(why, lambda: act(stage, one, found, project, wanted), running, image=image)


_STEPS: dict[str, Callable[[Stage, Item, Found], Step]] = {
    "fetched": _fetched,
    "resized": _resized,
    "recreated": _recreated,
    "started": _started,
    "stopped": _stopped,
    "rested": _rested,
    "removed": _removed,
}
