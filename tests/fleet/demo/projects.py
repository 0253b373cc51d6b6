"""Compose projects as the users of the lab's nodes have them: a file, its variables, and what lies beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bayplan.model.names import Name
from bayplan.policy.sources import read_sources
from bayplan.source import plain

from . import lab_policy, stand_ins

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from bayplan.compose.read import ComposeProject
    from bayplan.policy.fleet import Policy


@dataclass(frozen=True)
class Lab:
    """Where a derived policy is followed: the lab's registry, its architecture, and each node's address."""

    registry: str
    arch: str
    addresses: Mapping[str, str]


@dataclass(frozen=True)
class Project:
    """A Compose project as a user of the lab's node has it.

    Attributes:
        name, node, root: the project, where it runs today, and its folder there.
        document: its Compose file.
        env: its `.env`.
        profiles: the Compose profiles that are on.
    """

    name: str
    node: str
    root: str
    document: Mapping[str, Any]
    env: str
    profiles: tuple[str, ...] = ()

    @property
    def bodies(self) -> Mapping[str, Mapping[str, Any]]:
        """Return service → its Compose mapping."""
        return self.document["services"]  # type: ignore[no-any-return]

    @property
    def beside(self) -> dict[str, str | None]:
        """Return path below the root → the text of a file, or None for a folder."""
        named = {**self.document.get("secrets", {}), **self.document.get("configs", {})}
        return stand_ins.beside(self.bodies, named)

    def external(self, section: str) -> list[str]:
        """Return the real names of the networks or volumes that somebody else has to make."""
        declared = self.document.get(section, {})
        return sorted(str(one.get("name") or key) for key, one in declared.items() if one.get("external"))


def projects(source: Policy, folder: Path, names: Collection[Name], lab: Lab) -> dict[str, Project]:
    """Return the projects of a policy in the lab, with those of its services that are named.

    Args:
        source: the original.
        folder: its folder.
        names: the services to keep.
        lab: where they will run.
    """
    read, _ = read_sources(source.document, folder, source.as_is.nodes)
    found: dict[str, Project] = {}
    for key, one in read.items():
        services = one.compose.services if one.compose else {}
        bodies = {name: plain(node) for name, node in services.items() if Name(key, name) in names}
        if one.compose and bodies:
            document = _document(one.compose, bodies, lab)
            root = one.project.root if one.project.root.startswith("/") else f"/opt/{source.name}-{key}"
            found[key] = Project(
                key, one.project.node, root, document, _env(one.compose, document), one.project.profiles
            )
    return found


def _document(compose: ComposeProject, bodies: Mapping[str, Mapping[str, Any]], lab: Lab) -> dict[str, Any]:
    """Return the Compose file of a project in the lab; a smaller story declares only what it uses."""
    services = {name: stand_ins.lab_service(body, lab.registry, lab.arch) for name, body in bodies.items()}
    for body in services.values():
        body["depends_on"] = {one: how for one, how in (body.get("depends_on") or {}).items() if one in services}
    services = {name: {key: value for key, value in body.items() if value != {}} for name, body in services.items()}
    networks = {key for body in services.values() for key in body.get("networks") or {"default": None}}
    volumes = {
        str(mount.get("source"))
        for body in services.values()
        for mount in body.get("volumes") or ()
        if mount.get("type") == "volume"
    }
    everything = len(services) == len(compose.services)
    made: dict[str, Any] = {"services": services}
    made["networks"] = {key: plain(node) for key, node in compose.networks.items() if everything or key in networks}
    made["volumes"] = {
        key: _local(plain(node)) for key, node in compose.volumes.items() if everything or key in volumes
    }
    made |= {key: {name: plain(node) for name, node in getattr(compose, key).items()} for key in ("secrets", "configs")}
    return {key: value for key, value in made.items() if value}


def _local(volume: dict[str, Any] | None) -> dict[str, Any]:
    """Return a volume of the node's own disk: the lab has no other."""
    return {key: value for key, value in (volume or {}).items() if key not in ("driver", "driver_opts")}


def _env(compose: ComposeProject, document: Mapping[str, Any]) -> str:
    """Return the variables of a project; those that are asked for and that nobody sets get a value of no meaning."""
    asked = re.findall(r"(?<!\$)\$\{([A-Za-z_][A-Za-z0-9_]*)(?=[}:?])", lab_policy.written(document, ""))
    known = {key: value for key, value in compose.env.items() if key != "COMPOSE_PROJECT_NAME"}
    return "".join(f"{key}={value}\n" for key, value in sorted({**dict.fromkeys(asked, "lab"), **known}.items()))
