"""The picture of a node before a plan: taken once, so that a resumed plan still knows what was there first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible_collections.bayplan.fleet.plugins.module_utils import containers, engine, files, moment, state

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ansible_collections.bayplan.fleet.plugins.module_utils.home import Home

FILE = "before.json"
UNITS = Path("/etc/systemd/system")


def take(home: Home, projects: Iterable[str]) -> dict[str, Any]:
    """Return what is there now, of the containers of some projects."""
    wanted = sorted(projects)
    return {
        "taken": moment.now(),
        "release": home.current_plan(),
        "projects": wanted,
        "containers": [one for some in by_service(engine.of_projects(wanted)).values() for one in some],
        "units": units(),
        "state": state.read(home.state),
    }


def read(home: Home, plan: str) -> dict[str, Any] | None:
    """Return the picture that was taken before a plan; None: there is none."""
    found = files.json_of(home.backup(plan) / FILE)
    return found if isinstance(found, dict) else None


def keep(home: Home, plan: str, picture: Mapping[str, Any]) -> None:
    """Write a picture down, copy the files that containers were made from, and pin their images."""
    folder = home.backup(plan)
    for name, identity in sorted(pins(home, plan, picture["containers"]).items()):
        engine.docker("tag", identity, name)
    for path in definitions(picture["containers"]):
        text = files.text_of(path)
        if text is not None:
            files.write(folder / "files" / str(path).lstrip("/"), text, 0o600)
    files.write_json(folder / FILE, picture)


def definitions(found: Iterable[Mapping[str, Any]]) -> list[Path]:
    """Return the Compose files and environment files that containers were made from."""
    paths: set[Path] = set()
    for one in found:
        for key in ("project.config_files", "project.environment_file"):
            paths |= {Path(name) for name in containers.label(one, key).split(",") if name}
        paths.add(Path(containers.label(one, "project.working_dir") or "/") / ".env")
    return sorted(paths)


def pins(home: Home, plan: str, found: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the names under which a backup keeps images → image; no clean-up takes away what has a name."""
    fleet = home.root.name.lower()
    return {
        f"bayplan/{fleet}:{containers.service_of(one).replace('/', '-')}-{plan}"[:_LONGEST]: one["Image"]
        for one in found
    }


_LONGEST = 128


def units() -> dict[str, str]:
    """Return our slices as systemd has them on disk."""
    return {file.name: files.text_of(file) or "" for file in sorted(UNITS.glob("bayplan*.slice"))}


def by_service(found: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return project/service → its containers in the order of their numbers; one-off runs are none of them."""
    services: dict[str, list[dict[str, Any]]] = {}
    for one in sorted(found, key=lambda one: (containers.service_of(one), containers.number_of(one))):
        if containers.number_of(one):
            services.setdefault(containers.service_of(one), []).append(one)
    return services
