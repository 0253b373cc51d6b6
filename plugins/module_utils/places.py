"""What a move carries: volumes and paths, each with a name, a folder on this node, and a mark for how far it came."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible_collections.bayplan.fleet.plugins.module_utils import containers, engine, files
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import NodeError
from ansible_collections.bayplan.fleet.plugins.module_utils.project import Project
from ansible_collections.bayplan.fleet.plugins.module_utils.show import show

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ansible_collections.bayplan.fleet.plugins.module_utils.home import Home

_COMPOSE = "com.docker.compose."


@dataclass(frozen=True)
class Place:
    """One volume, folder or file that is carried.

    Attributes:
        name: `volume:NAME` or `path:/folder`.
        folder: where its content is on this node; for a file, the file.
        is_file: whether it is one file.
        project, key: of a volume.
    """

    name: str
    folder: Path
    is_file: bool = False
    project: str = ""
    key: str = ""

    @property
    def key_name(self) -> str:
        """Return the name of the file with the key that opens it."""
        return f"key-{files.digest(self.name)[:16]}"

    @property
    def kind(self) -> str:
        """Return `volume`, `folder` or `file`."""
        return "volume" if self.name.startswith("volume:") else "file" if self.is_file else "folder"


def folder_of(volume: Mapping[str, Any]) -> Path:
    """Return the folder that holds a volume's content, whether a container uses it or not.

    Docker mounts what a volume names as its device only while a container runs: its mount point is empty otherwise,
    and a copy of that would be an empty one.
    """
    options: Mapping[str, str] = volume.get("Options") or {}
    device, how = str(options.get("device") or ""), str(options.get("o") or "").split(",")
    if volume.get("Driver") == "local" and not device and not options.get("type"):
        return Path(volume["Mountpoint"])
    if volume.get("Driver") == "local" and device.startswith("/") and ("bind" in how or "rbind" in how):
        return Path(device)
    what = f"on {device or options.get('type')}" if volume.get("Driver") == "local" else f"of driver {volume['Driver']}"
    raise NodeError(
        f"volume {volume['Name']} is {what}, which is no folder of this node",
        "say on_move: own in the policy if each node has one of its own, or carry it by hand",
    )


def on_source(volumes: Iterable[Mapping[str, Any]], paths: Iterable[str]) -> list[Place]:
    """Return what there is to carry on the node that it leaves; what is not there is left out."""
    found = []
    for one in volumes:
        for volume in engine.inspect("volume", [one["name"]]):
            place = Place(f"volume:{one['name']}", folder_of(volume), project=one["project"], key=one["key"])
            if not place.folder.is_dir():
                raise NodeError(f"{place.folder}, the folder of volume {one['name']}, is not there", "mount its disk")
            found.append(place)
    return found + [Place(f"path:{path}", Path(path), Path(path).is_file()) for path in paths if Path(path).exists()]


def on_target(
    volumes: Iterable[Mapping[str, Any]], paths: Iterable[str], offered: Iterable[Mapping[str, Any]]
) -> list[Place]:
    """Return where to carry it on the node that it comes to: files first, as definitions may need them.

    Args:
        volumes: project, key and name of each.
        paths: folders and files, absolute.
        offered: what the source has: `name` and `kind` (volume, folder, file). What nobody asked for is passed over.
    """
    kinds = {one["name"]: one["kind"] for one in offered}
    found = [Place(f"path:{path}", Path(path), kinds[f"path:{path}"] == "file") for path in paths
             if f"path:{path}" in kinds]  # fmt: skip
    found.sort(key=lambda one: (not one.is_file, one.name))
    for one in volumes:
        name = f"volume:{one['name']}"
        if name in kinds:
            here = engine.inspect("volume", [one["name"]])
            found.append(Place(name, folder_of(here[0]) if here else Path(), project=one["project"], key=one["key"]))
    return found


def made(home: Home, plan: str, place: Place) -> Place:
    """Return a place whose folder is there; a volume is made as Compose would make it."""
    if place.kind != "volume":
        (place.folder.parent if place.is_file else place.folder).mkdir(parents=True, exist_ok=True)
        return place
    name = place.name.partition(":")[2]
    if not engine.inspect("volume", [name]):
        engine.docker("volume", "create", *_options(home, plan, place), name)
    folder = folder_of(engine.inspect("volume", [name])[0])
    folder.mkdir(parents=True, exist_ok=True)
    return replace(place, folder=folder)


def _options(home: Home, plan: str, place: Place) -> list[str]:
    labels = {"project": place.project, "volume": place.key, "version": engine.compose_version()}
    words = [word for key, text in labels.items() for word in ("--label", f"{_COMPOSE}{key}={text}")]
    project = Project.of_release(home, plan, place.project) if plan else None
    said: Mapping[str, Any] = (project.volumes().get(place.key) or {}) if project else {}
    words += [word for key, text in (said.get("labels") or {}).items() for word in ("--label", f"{key}={text}")]
    words += ["--driver", str(said["driver"])] if said.get("driver") else []
    return words + [
        word for key, value in (said.get("driver_opts") or {}).items() for word in ("--opt", f"{key}={value}")
    ]


def users(place: Place, running: Iterable[Mapping[str, Any]], *, writing: bool = False) -> list[str]:
    """Return the containers that have a place, or part of it, mounted; with `writing`, those that may write."""
    return sorted(
        str(one["Name"]).lstrip("/")
        for one in running
        if any(_is_of(mount, place) and (mount.get("RW") or not writing) for mount in one.get("Mounts") or [])
    )


def _is_of(mount: Mapping[str, Any], place: Place) -> bool:
    if place.name == f"volume:{mount.get('Name')}":
        return True
    return f"{mount.get('Source')}/".startswith(f"{place.folder}/")


def running() -> list[dict[str, Any]]:
    """Return the containers that run on this node."""
    return [one for one in engine.every("container") if containers.is_running(one)]


def is_empty(place: Place) -> bool:
    """Whether nothing is there; a disk's own folder for lost files is nothing."""
    if place.is_file:
        return not place.folder.exists()
    return not place.folder.is_dir() or all(one.name == "lost+found" for one in place.folder.iterdir())


def refuse_full(coming: Iterable[tuple[Place, int]]) -> None:
    """Refuse a copy that does not fit on the disks of this node.

    Args:
        coming: places that are there, each with how many bytes the source has.
    """
    wanted: dict[int, tuple[Path, int]] = {}
    for place, size in coming:
        folder = place.folder.parent if place.is_file else place.folder
        disk = folder.stat().st_dev
        wanted[disk] = (folder, wanted.get(disk, (folder, 0))[1] + max(size - files.allocated(place.folder), 0))
    for folder, size in wanted.values():
        disk_now = os.statvfs(folder)
        free = disk_now.f_bavail * disk_now.f_frsize
        if size > free:
            raise NodeError(
                f"{show(size)} are to come to the disk of {folder}, which has {show(free)} left", "make room"
            )
