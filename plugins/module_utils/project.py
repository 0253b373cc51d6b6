"""One Compose project on this node: as a release says it, or as it was before."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible_collections.bayplan.fleet.plugins.module_utils import engine
from ansible_collections.bayplan.fleet.plugins.module_utils.command import Done, run
from ansible_collections.bayplan.fleet.plugins.module_utils.containers import label
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import NodeError
from ansible_collections.bayplan.fleet.plugins.module_utils.files import json_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.bayplan.fleet.plugins.module_utils.home import Home

_GRACE = 90
"""What stopping and making a container may take beside the waiting for its health."""


@dataclass(frozen=True)
class Project:
    """A Compose project: its name, its folder, and the files that say it."""

    name: str
    folder: Path
    files: tuple[Path, ...]
    env_files: tuple[Path, ...] = ()

    @classmethod
    def of_release(cls, home: Home, plan: str, name: str) -> Project | None:
        """Return a project as a release says it; None: it says nothing of that project."""
        if not plan:
            return None
        release = home.release(plan)
        known = ((json_of(release / "manifest.json") or {}).get("projects") or {}).get(name)
        file = release / name / "compose.yaml"
        if known is None or not file.is_file():
            return None
        root = Path(known["root"])
        return cls(name, root, (file,), (root / ".env", release / name / "addresses.env"))

    @classmethod
    def of_container(cls, inspected: Mapping[str, Any]) -> Project:
        """Return the project that a container was made from, by what Compose noted on it."""
        files = [Path(one) for one in label(inspected, "project.config_files").split(",") if one]
        folder = Path(label(inspected, "project.working_dir") or "/")
        env = [Path(one) for one in label(inspected, "project.environment_file").split(",") if one]
        return cls(label(inspected, "project"), folder, tuple(files), tuple(env or [folder / ".env"]))

    @property
    def exists(self) -> bool:
        """Whether all its files are there."""
        return bool(self.files) and all(file.is_file() for file in self.files)

    def words(self) -> list[str]:
        """Return `docker compose` with what makes it speak of this project and nothing else."""
        env = [word for file in self.env_files if file.is_file() for word in ("--env-file", str(file))]
        files = [word for file in self.files for word in ("-f", str(file))]
        folder = ["--project-directory", str(self.folder)]
        return ["docker", "compose", "--ansi", "never", "--progress", "plain", "-p", self.name, *folder, *env, *files]

    def services(self) -> dict[str, Any]:
        """Return service → its definition with all variables resolved."""
        return dict(json.loads(_resolved(self)).get("services") or {})

    def volumes(self) -> dict[str, Any]:
        """Return volume → its definition."""
        return dict(json.loads(_resolved(self)).get("volumes") or {})

    def addresses(self, service: str) -> set[tuple[str, str]]:
        """Return the fixed addresses of a service, each with the name of its network."""
        networks = json.loads(_resolved(self)).get("networks") or {}
        joined = (self.services().get(service) or {}).get("networks") or {}
        asked = {key: (one or {}).get("ipv4_address") for key, one in joined.items()}
        return {((networks.get(key) or {}).get("name") or key, address) for key, address in asked.items() if address}

    def hashes(self, service: str, made: Mapping[str, Any] | None = None) -> tuple[str, ...]:
        """Return the digests that Compose labels the containers of a service with; none: the files do not know it.

        There are several: `up --no-deps` leaves `depends_on` out of the definition that it takes the digest of, and who
        borrows from another service is labelled with the container that it borrows from. All are asked of the resolved
        definition: `config --hash` of a file with `env_file` gives another one than `up` does.

        Args:
            service: which.
            made: a container of it, to ask for what that one borrows; None: from the containers that there are.
        """
        spec = self.services().get(service) or {}
        there = {name: one["Id"] for name in _lenders(spec) for one in engine.of_service(self.name, name)[:1]}
        lent = tuple(sorted({**there, **(_borrowed(spec, made) if made else {})}.items()))
        ways = [(deps, ids) for ids in dict.fromkeys(((), lent)) for deps in (True, False)]
        found = (_hashes(self, deps=deps, lent=ids).get(service, "") for deps, ids in ways)
        return tuple(one for one in found if one)

    def copies(self, service: str) -> int:
        """Return how many containers of a service the files ask for."""
        said = self.services().get(service) or {}
        replicas = (said.get("deploy") or {}).get("replicas", said.get("scale"))
        return 1 if replicas is None else int(replicas)

    def _is_watched(self, service: str) -> bool:
        """Whether Compose may wait for a service: one whose health check is disabled it takes for failed."""
        check = (self.services().get(service) or {}).get("healthcheck") or {}
        return not check.get("disable") and check.get("test") != ["NONE"]

    def up(self, service: str, *more: str, wait: int = 0, check: bool = True) -> Done:
        """Make a service what the files say, and nothing else with it; with `wait`, until it is healthy."""
        until = ["--wait", "--wait-timeout", str(wait)] if self._is_watched(service) else []
        waiting = ["-d", *until] if wait else ["--no-start"]
        words = [*self.words(), "up", *waiting, "--no-deps", "--no-build", "--pull", "never", *more, service]
        return run(words, check=check, timeout=wait * 2 + _GRACE)

    def pull(self, service: str, timeout: int = 1800) -> Done:
        """Fetch the image of a service."""
        return run([*self.words(), "pull", "--quiet", "--policy", "missing", service], check=False, timeout=timeout)


_BORROWED = {"network_mode": "NetworkMode", "ipc": "IpcMode", "pid": "PidMode"}
_SERVICE = "service:"


def _lenders(spec: Mapping[str, Any]) -> set[str]:
    """Return the services whose containers a service borrows namespaces or volumes from."""
    names = {str(spec.get(key) or "") for key in _BORROWED}
    spaces = {name.removeprefix(_SERVICE) for name in names if name.startswith(_SERVICE)}
    volumes = {str(one).partition(":")[0] for one in spec.get("volumes_from") or ()}
    return spaces | (volumes - {"container"})


def _borrowed(spec: Mapping[str, Any], made: Mapping[str, Any]) -> dict[str, str]:
    """Return service → the container of it that a container of `spec` borrows from."""
    host = made["HostConfig"]
    pairs = [(str(spec.get(key) or ""), str(host.get(name) or "")) for key, name in _BORROWED.items()]
    ids = {
        name.removeprefix(_SERVICE): kind.removeprefix("container:")
        for name, kind in pairs
        if name.startswith(_SERVICE) and kind.startswith("container:")
    }
    volumes = zip(spec.get("volumes_from") or (), host.get("VolumesFrom") or ())
    return {**{str(name).partition(":")[0]: str(one).partition(":")[0] for name, one in volumes}, **ids}


def _lent(spec: dict[str, Any], ids: Mapping[str, str]) -> None:
    """Name containers in place of services, as Compose does before it makes a container."""
    for key in _BORROWED:
        name = str(spec.get(key) or "").removeprefix(_SERVICE)
        if name in ids and str(spec[key]).startswith(_SERVICE):
            spec[key] = f"container:{ids[name]}"
    if spec.get("volumes_from"):
        spec["volumes_from"] = [ids.get(str(one).partition(":")[0], one) for one in spec["volumes_from"]]


@lru_cache(maxsize=16)
def _hashes(project: Project, *, deps: bool, lent: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Return service → digest, with `depends_on` or without, and with containers in place of the services that lend."""
    model = json.loads(_resolved(project))
    for service in (model.get("services") or {}).values():
        _lent(service, dict(lent))
        if not deps:
            service.pop("depends_on", None)
    words = ["docker", "compose", "-p", project.name, "--project-directory", str(project.folder), "-f", "-"]
    done = run([*words, "--profile", "*", "config", "--hash", "*"], text=json.dumps(model), timeout=60)
    return dict(line.split() for line in done.out.splitlines() if line.count(" ") == 1)


@lru_cache(maxsize=16)
def _resolved(project: Project) -> str:
    """Return a project as Compose understands it, in JSON."""
    missing = [str(file) for file in project.files if not file.is_file()]
    if missing or not project.files:
        raise NodeError(f"{', '.join(missing) or 'a Compose file'} of project {project.name} is not there")
    return run([*project.words(), "--profile", "*", "config", "--format", "json"], timeout=60).out
