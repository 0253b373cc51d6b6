"""What is on the nodes at a moment, measured without bayplan, and what two moments have to have in common."""

from __future__ import annotations

import json
import shlex
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .watch import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lab import Node

    from .derive import Project


@dataclass(frozen=True)
class Look:
    """A node at a moment.

    Attributes:
        node: its name.
        containers: `project/service/number` → id, state, limits as Docker has them and as the kernel has them, mounts.
        files: path below the projects' folders → mode and digest.
        volumes: volume → digest of what was seeded into it, empty if nothing was.
        received, sent: bytes over its network so far.
    """

    node: str
    containers: Mapping[str, Mapping[str, Any]]
    files: Mapping[str, str]
    volumes: Mapping[str, str]
    received: int
    sent: int

    @property
    def running(self) -> dict[str, Mapping[str, Any]]:
        """Return the containers that run."""
        return {key: one for key, one in self.containers.items() if one["running"]}


def look(node: Node, projects: Iterable[Project]) -> Look:
    """Return what is on a node; files that services write themselves are left out."""
    some = list(projects)
    folders = sorted({project.root for project in some})
    without = sorted({path for project in some for path in written_by_services(project)})
    program = shlex.quote(PROGRAM.read_text(encoding="utf-8"))
    words = shlex.join([json.dumps(folders), json.dumps(without)])
    said = node.run(f"python3 -c {program} look {words}", sudo=True).stdout
    return Look(node.name, **json.loads(said))


def look_at_all(nodes: Iterable[Node], projects: Iterable[Project]) -> dict[str, Look]:
    """Return what is on the nodes, asked side by side; each is asked for the folders of all projects."""
    some = list(projects)
    with ThreadPoolExecutor(8) as pool:
        return {one.node: one for one in pool.map(lambda node: look(node, some), nodes)}


def written_by_services(project: Project) -> list[str]:
    """Return the folders of a project that its databases write to."""
    return [
        f"{project.root}/{str(mount['source']).removeprefix('./')}"
        for body in project.bodies.values()
        if "entrypoint" not in body  # the web service writes nothing
        for mount in body.get("volumes") or ()
        if mount["type"] == "bind" and not mount.get("read_only") and not str(mount["source"]).startswith("/")
    ]


def where(looks: Mapping[str, Look]) -> dict[str, str]:
    """Return `project/service/number` → the node it runs on."""
    return {key: name for name, one in looks.items() for key in one.running}


def differences(before: Mapping[str, Look], after: Mapping[str, Look]) -> list[str]:
    """Return in what two moments differ that are to be the same for users: what runs where, its limits, files, data."""
    found = []
    for name, old in before.items():
        new = after[name]
        found += _different(f"{name}: runs", _sides(old.running), _sides(new.running))
        found += _different(f"{name}: file", old.files, new.files)
        # Volumes that appeared may stay: nothing of a user's is deleted. What was there is there, and the same.
        kept = {key: new.volumes.get(key) for key in old.volumes}
        found += _different(f"{name}: volume", old.volumes, kept)
    return found


DOCKERS_SHARES = 1024
"""What the kernel holds for a container that nobody gave a weight. Docker writes it down once it was ever changed."""


def _sides(running: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {key: (one["image"], _limits(one), one["kernel"], one["mounts"]) for key, one in running.items()}


def _limits(one: Mapping[str, Any]) -> dict[str, Any]:
    return {**one["limits"], "shares": one["limits"].get("shares") or DOCKERS_SHARES}


def _different(what: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    keys = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
    return [f"{what} {key}: {old.get(key, 'not there')} before, {new.get(key, 'not there')} after" for key in keys]


def identities(looks: Mapping[str, Look]) -> dict[str, tuple[str, str]]:
    """Return what changes with anything that is done to a container: node and name → id and start."""
    return {
        f"{name} {key}": (one["id"], one["started"])
        for name, look_ in looks.items()
        for key, one in look_.containers.items()
    }


def restarted(before: Mapping[str, Look], after: Mapping[str, Look]) -> list[str]:
    """Return the copies that run at both moments, and were started again in between."""
    old = {key: one["started"] for look_ in before.values() for key, one in look_.running.items()}
    new = {key: one["started"] for look_ in after.values() for key, one in look_.running.items()}
    return sorted(key for key in old.keys() & new.keys() if old[key] != new[key])
