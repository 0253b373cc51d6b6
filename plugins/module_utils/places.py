"""What a move carries: volumes and paths, each with a name, a folder on this node, and a mark for how far it came."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ansible_collections.bayplan.fleet.plugins.module_utils import engine, files
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import NodeError
from ansible_collections.bayplan.fleet.plugins.module_utils.project import Project
from ansible_collections.bayplan.fleet.plugins.module_utils.stage import mark_of

if TYPE_CHECKING:
    from collections.abc import Mapping

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


def mountpoint(name: str) -> Path | None:
    """Return the folder that holds a volume's content; None: there is no such volume."""
    found = engine.inspect("volume", [name])
    if not found:
        return None
    device = str((found[0].get("Options") or {}).get("device") or "")
    return Path(device if device.startswith("/") else found[0]["Mountpoint"])


def on_source(volumes: list[dict[str, Any]], paths: list[str]) -> list[Place]:
    """Return what there is to carry on the node that it leaves; what is not there is left out."""
    found = []
    for one in volumes:
        folder = mountpoint(one["name"])
        if folder is not None:
            found.append(Place(f"volume:{one['name']}", folder, project=one["project"], key=one["key"]))
    found += [Place(f"path:{path}", Path(path), Path(path).is_file()) for path in paths if Path(path).exists()]
    return found


def on_target(volumes: list[dict[str, Any]], offered: list[dict[str, Any]]) -> list[Place]:
    """Return where to carry it on the node that it comes to: files first, as definitions may need them.

    Args:
        volumes: project, key and name of each.
        offered: what the source has: `name` and `kind` (volume, folder, file).
    """
    there = {one["name"]: one["kind"] for one in offered}
    found = [
        Place(name, Path(name.partition(":")[2]), kind == "file")
        for name, kind in sorted(there.items(), key=lambda one: (one[1] != "file", one[0]))
        if kind != "volume"
    ]
    for one in volumes:
        name = f"volume:{one['name']}"
        if name in there:
            folder = mountpoint(one["name"]) or Path()
            found.append(Place(name, folder, project=one["project"], key=one["key"]))
    return found


def made(home: Home, plan: str, place: Place) -> Place:
    """Return a place whose folder is there; a volume is made as Compose would make it."""
    if not place.name.startswith("volume:"):
        (place.folder.parent if place.is_file else place.folder).mkdir(parents=True, exist_ok=True)
        return place
    name = place.name.partition(":")[2]
    folder = mountpoint(name)
    if folder is None:
        engine.docker("volume", "create", *_options(home, plan, place), name)
        folder = mountpoint(name)
    if folder is None:
        raise NodeError(f"the volume {name} could not be made")
    folder.mkdir(parents=True, exist_ok=True)
    return Place(place.name, folder, project=place.project, key=place.key)


def _options(home: Home, plan: str, place: Place) -> list[str]:
    labels = {"project": place.project, "volume": place.key, "version": engine.compose_version()}
    words = [word for key, text in labels.items() for word in ("--label", f"{_COMPOSE}{key}={text}")]
    project = Project.of_release(home, plan, place.project)
    said: Mapping[str, Any] = (project.volumes().get(place.key) or {}) if project else {}
    words += ["--driver", str(said["driver"])] if said.get("driver") else []
    return words + [
        word for key, value in (said.get("driver_opts") or {}).items() for word in ("--opt", f"{key}={value}")
    ]


def is_ours(home: Home, plan: str, place: Place) -> bool:
    """Whether what is in a place may be replaced: a copy of ours, or what a move left behind here."""
    if mark_of(home.incomplete, place.name).exists() or _mark(home, "left", place).exists():
        return True
    return files.text_of(_mark(home, "arrived", place)) == plan


def is_empty(place: Place) -> bool:
    """Whether nothing is there."""
    if place.is_file:
        return not place.folder.exists()
    return not place.folder.is_dir() or not any(place.folder.iterdir())


def begun(home: Home, place: Place) -> None:
    """Mark a copy as not proven: nothing may start on it."""
    files.write(mark_of(home.incomplete, place.name), place.name)


def proven(home: Home, plan: str, place: Place) -> None:
    """Mark a copy as equal to its source."""
    files.write(_mark(home, "arrived", place), plan)
    files.remove(_mark(home, "left", place)) if _mark(home, "left", place).exists() else None
    files.remove(mark_of(home.incomplete, place.name)) if mark_of(home.incomplete, place.name).exists() else None


def left(home: Home, plan: str, place: Place) -> None:
    """Mark what stays behind when its services have left: old data, kept until `keep_source` is over."""
    files.write(_mark(home, "left", place), plan)


def _mark(home: Home, kind: str, place: Place) -> Path:
    return home.root / kind / quote(place.name, safe=":")
