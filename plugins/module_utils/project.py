"""One Compose project on this node: as a release says it, or as it was before."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

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

    def hashes(self, service: str) -> tuple[str, ...]:
        """Return the digests that Compose labels the containers of a service with; none: the files do not know it.

        There are two: `up --no-deps` leaves `depends_on` out of the definition that it takes the digest of. Both are
        asked of the resolved definition: `config --hash` of a file with `env_file` gives another one than `up` does.
        """
        whole, alone = (_hashes(self, deps=deps) for deps in (True, False))
        return (whole[service], alone[service]) if service in whole else ()

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


@lru_cache(maxsize=16)
def _hashes(project: Project, *, deps: bool) -> dict[str, str]:
    """Return service → digest, with `depends_on` or without."""
    model = json.loads(_resolved(project))
    for service in (model.get("services") or {}).values():
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
