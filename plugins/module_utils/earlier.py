"""What was there before: kept so that it can come back, and put back so that it is proven."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible_collections.bayplan.fleet.plugins.module_utils import (
    addresses,
    containers,
    engine,
    limiter,
    ready,
    state,
    stopping,
)
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import NodeError
from ansible_collections.bayplan.fleet.plugins.module_utils.project import Project

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ansible_collections.bayplan.fleet.plugins.module_utils.stage import Stage

_SAME = ("image_id", "mounts", "network_mode", "ports", "restart_policy")
"""What must be equal again beside the limits. The network of another container is known by an id that changes."""


def keep(found: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return image name → id of what runs; an image that a tag has left is still found by its id."""
    return {str(one["Config"]["Image"]): str(one["Image"]) for one in found}


def put_back(
    stage: Stage,
    name: str,
    service: str,
    before: Sequence[Mapping[str, Any]],
    images: Mapping[str, str],
    *,
    running: bool | None = None,
) -> list[str]:
    """Make a service what it was; return what is still different.

    Args:
        stage: where.
        name: the project.
        service: the service.
        before: its containers as `docker inspect` showed them; none: it was not there.
        images: image name → id of what they ran.
        running: whether they are to run; None: those that did.
    """
    if not before:
        for one in engine.of_service(name, service):
            stopping.disarm(one, f"{name}/{service}", stage.state)
            stopping.stop(one)
            stopping.remove(one)
        return []
    ran = any(containers.is_running(one) for one in before) if running is None else running
    claims = {claim for one in before if ran for claim in addresses.fixed(one)}
    with addresses.freed(claims, engine.of_service(name, service)):
        _as_before(stage, name, service, before, images, ran=ran)
    return compare(before, engine.of_service(name, service), stage)


def _as_before(
    stage: Stage,
    name: str,
    service: str,
    before: Sequence[Mapping[str, Any]],
    images: Mapping[str, str],
    *,
    ran: bool,
) -> None:
    """Have the containers of before, running if they ran."""
    old, now = {one["Id"]: one for one in before}, engine.of_service(name, service)
    if set(old) <= {one["Id"] for one in now}:
        _keep_only(old, now)
        for one in [] if ran else now:
            if one["Id"] in old and containers.is_running(one):
                stopping.disarm(one, f"{name}/{service}", stage.state)
                stopping.stop(one)
    else:
        _make_again(stage, before, images, wait=stage.timeout if ran else 0)
    if ran:
        there, asleep = engine.of_service(name, service), state.asleep(stage.state)
        stopping.rearm(f"{name}/{service}", there, stage.state)
        down = [one["Id"] for one in there if not containers.is_running(one) and not ready.is_done(one, asleep)]
        if down:
            engine.docker("start", *down)
        ready.wait(name, service, len(before), stage.timeout)
    _limits(stage, before, engine.of_service(name, service))


def _keep_only(old: Mapping[str, Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> None:
    """Remove what came beside the old containers, which are all there; Compose may have renamed them meanwhile."""
    for one in now:
        if one["Id"] not in old:
            stopping.stop(one)
            stopping.remove(one)
    for one in now:
        if one["Id"] in old and one["Name"] != old[one["Id"]]["Name"]:
            engine.docker("rename", one["Id"], old[one["Id"]]["Name"].lstrip("/"))


def _make_again(stage: Stage, before: Sequence[Mapping[str, Any]], images: Mapping[str, str], wait: int) -> None:
    """Make the old containers again, of the old definition and the old image."""
    project, service = find(stage, before[0]), containers.label(before[0], "service")
    for image, number in images.items():
        if engine.image_id(image) != number:
            engine.docker("tag", number, image)
    for one in engine.of_service(project.name, service):
        if stopping.signal_of(one) and containers.is_running(one):
            stopping.stop(one)
    numbers = {containers.number_of(one) for one in before}
    for one in engine.of_service(project.name, service):
        if containers.number_of(one) not in numbers:  # Compose, told to keep fewer, keeps whichever it likes
            stopping.stop(one)
            stopping.remove(one)
    # Only where the files say another number: `--scale` becomes a part of the definition.
    many = [] if project.copies(service) == len(before) else ["--scale", f"{service}={len(before)}"]
    project.up(service, "--force-recreate", *many, wait=wait)


def find(stage: Stage, before: Mapping[str, Any]) -> Project:
    """Return the project that a container was made from: its own files, or the copy of them in the backup.

    Raises:
        NodeError: if neither gives the definition that the container has.
    """
    service, label = containers.label(before, "service"), containers.label(before, "config-hash")
    own = Project.of_container(before)
    kept = stage.hand.home.backup(stage.hand.plan) / "files"
    copy = Project(
        own.name, own.folder, tuple(_in(kept, one) for one in own.files), tuple(_in(kept, one) for one in own.env_files)
    )
    there = [one for one in (own, copy) if one.exists]
    for one in there:
        if label in one.hashes(service, before):
            return one
    names = ", ".join(str(file) for file in own.files) or "its Compose file"
    why = "says something else now" if there else "is gone"
    raise NodeError(f"{own.name}/{service} cannot be made again as it was: {names} {why}")


def compare(before: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]], stage: Stage) -> list[str]:
    """Return what of a service is not as it was."""
    if len(before) != len(now):
        return [f"{len(now)} containers, {len(before)} before"]
    found: list[str] = []
    for old, new in zip(before, now):
        then, is_ = containers.fact(old, stage.kernel), containers.fact(new, stage.kernel)
        for key in _SAME:
            if key == "network_mode" and str(then[key]).startswith("container:"):
                continue
            if _plain(key, then[key]) != _plain(key, is_[key]) and not _disarmed(key, new):
                found.append(f"{is_['name']}: {key} is {is_[key]}, was {then[key]}")
        if then["name"] != is_["name"] and len(before) == 1:
            found.append(f"{is_['name']} was {then['name']}")
        keys = limiter.due(new, then["configured"], stage.kernel)
        found += [f"{is_['name']}: limits differ: {', '.join(sorted(keys))}"] if keys else []
    return found


def _limits(stage: Stage, before: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> None:
    """Repeat limits that had been changed live and are in no file."""
    for old, new in zip(before, now):
        wanted = containers.fact(old, stage.kernel)["configured"]
        if limiter.due(new, wanted, stage.kernel) and not limiter.refusals(new, wanted, stage.kernel, 0):
            limiter.apply(new, wanted, stage.kernel)


def _plain(key: str, value: Any) -> Any:
    """Return mounts without the paths of anonymous volumes: their names are drawn by lot."""
    if key != "mounts":
        return value
    return [
        (one["type"], one["name"] if len(one["name"]) != _ANONYMOUS else "", one["target"], one["rw"]) for one in value
    ]


_ANONYMOUS = 64


def _disarmed(key: str, new: Mapping[str, Any]) -> bool:
    """Whether a restart policy differs only because we took it away while the container is stopped."""
    return key == "restart_policy" and not containers.is_running(new)


def _in(folder: Path, file: Path) -> Path:
    return folder / str(file).lstrip("/")
