"""What a move carries beside the containers: named volumes, and the files and folders that belong to the project."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bayplan.finding import note
from bayplan.model.fleet import Volume
from bayplan.model.names import Name
from bayplan.place.constraints import paths
from bayplan.plan.form import Form

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bayplan.finding import Finding
    from bayplan.model.fleet import Fleet
    from bayplan.model.service import Service
    from bayplan.plan.order.scene import Scene

_REACHED = ("network", "per-replica")
"""Kinds of access that find their data on every node, or begin with none."""


def root_of(fleet: Fleet, project: str) -> str:
    """Return the folder on a node that the relative paths of a project are relative to."""
    known = fleet.projects.get(project)
    root = known.root if known else ""
    return posixpath.normpath(root) if root.startswith("/") else f"/opt/{project}"


def assumed_roots(fleet: Fleet) -> Iterator[Finding]:
    """Yield a note for each project whose folder on the nodes nobody has said, though relative paths hang on it."""
    for name, project in sorted(fleet.projects.items()):
        services = [service for service in fleet.active() if service.name.project == name]
        relative = {path for one in services for path in (*one.bind_paths, *_read(fleet, one)) if _is_relative(path)}
        if relative and not project.root.startswith("/"):
            message = f"is taken to stand in {root_of(fleet, name)} on its nodes; {min(relative)} is relative to that"
            remedy = f"sources: {{{name}: {{root: /where/it/stands}}}}"
            yield note("rollout/root-assumed", project.place, f"sources.{name}", message, remedy)


def _is_relative(path: str) -> bool:
    return not path.startswith(("/", "~", "$"))


def volumes(scene: Scene, names: Iterable[Name]) -> tuple[Volume, ...]:
    """Return the named volumes that go with services, by name: those that they have today and still have then."""
    found: dict[str, Volume] = {}
    for name in names:
        old = scene.as_is.services.get(name)
        for key in scene.service(name, Form()).volume_keys:
            volume = scene.to_be.volumes.get(Name(name.project, key)) or Volume(Name(name.project, key))
            if old is not None and key in old.volume_keys and _travels(volume):
                found.setdefault(volume.real_name or f"{name.project}_{key}", volume)
    return tuple(volume for _, volume in sorted(found.items()))


def carried_paths(scene: Scene, names: Iterable[Name], target: str) -> tuple[str, ...]:
    """Return the files and folders that go with services: absolute, none below another."""
    found: set[str] = set()
    for name in names:
        service = scene.service(name, Form())
        found.update(_absolute(scene.to_be, name.project, path) for path in _mounted(scene.to_be, service))
        found.update(_absolute(scene.to_be, name.project, path) for path in _read(scene.to_be, service))
        if not any(one.project == name.project and target in here.nodes for one, here in scene.now.items()):
            found.add(_absolute(scene.to_be, name.project, "./.env"))
    known = sorted(path for path in found if path.startswith("/"))
    return tuple(path for path in known if not any(path.startswith(f"{other}/") for other in known))


def writes(scene: Scene, names: Iterable[Name]) -> bool:
    """Whether services write to what is carried: then two of them may never run."""
    some = tuple(names)
    keys = {(volume.name.project, volume.name.name) for volume in volumes(scene, some)}
    for name in some:
        service = scene.service(name, Form())
        folders = set(_mounted(scene.to_be, service))
        for mount in service.mounts:
            if not mount.read_only and ((name.project, mount.source) in keys or mount.source in folders):
                return True
    return False


def _travels(volume: Volume) -> bool:
    return volume.on_move == "carry" and volume.access not in _REACHED


def _mounted(fleet: Fleet, service: Service) -> Iterator[str]:
    """Yield the host paths that a service mounts, and that the policy lets travel."""
    return (path for path in service.bind_paths if _covered(fleet, service, path))


def _covered(fleet: Fleet, service: Service, path: str) -> bool:
    volume = None if paths.everywhere(path) else paths.covering(fleet, service.name.project, path)
    return volume is not None and _travels(volume)


def _read(fleet: Fleet, service: Service) -> Iterator[str]:
    """Yield what Compose itself reads for a service: files without which it does not start, and what it builds from."""
    said = service.body.get("env_file") or ()
    for one in said if isinstance(said, list | tuple) else (said,):
        yield str(one.get("path", "")) if isinstance(one, Mapping) else str(one)
    project = fleet.projects.get(service.name.project)
    for kind in ("secrets", "configs"):
        declared: Mapping[str, Any] = getattr(project, kind) if project else {}
        for one in service.body.get(kind) or ():
            known = declared.get(str(one.get("source", "")) if isinstance(one, Mapping) else str(one))
            if isinstance(known, Mapping) and known.get("file"):
                yield str(known["file"])
    # A folder to build from is needed where the image cannot be had otherwise; the policy says whether it travels.
    if service.build and ":" not in service.build and _covered(fleet, service, service.build):
        yield service.build


def _absolute(fleet: Fleet, project: str, path: str) -> str:
    """Return a path on the node; one that starts with a variable or a home is left as it is."""
    if not _is_relative(path) and not path.startswith("/"):
        return path
    return posixpath.normpath(posixpath.join(root_of(fleet, project), path))
