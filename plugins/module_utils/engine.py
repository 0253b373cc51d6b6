"""Docker on this node, asked and told through its own command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ansible_collections.bayplan.fleet.plugins.module_utils.command import Done, run
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import NodeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_PROJECT = "com.docker.compose.project"


def docker(*words: str, check: bool = True, timeout: float | None = 120) -> Done:
    """Run one docker command."""
    return run(["docker", *words], check=check, timeout=timeout)


def info() -> dict[str, Any]:
    """Return what the daemon says of itself."""
    found: dict[str, Any] = json.loads(docker("info", "--format", "{{json .}}").out)
    if found.get("ServerErrors"):
        raise NodeError(f"the Docker daemon does not answer: {found['ServerErrors'][0]}", "systemctl status docker")
    return found


def compose_version() -> str:
    """Return the version of docker compose; empty: it is not installed."""
    done = docker("compose", "version", "--short", check=False)
    return "" if done.code else done.out.strip().lstrip("v")


def inspect(kind: str, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return what docker knows of containers, images, volumes or networks; what is gone is left out."""
    if not names:
        return []
    done = docker(kind, "inspect", *names, check=False)
    text = done.out.strip()
    if not text or (done.code and "no such" not in done.err.lower()):
        raise NodeError(f"docker {kind} inspect failed: {done.last}")
    return list(json.loads(text) or [])


def every(kind: str) -> list[dict[str, Any]]:
    """Return all containers, images, volumes or networks."""
    listing = {
        "container": ("ps", "-aq", "--no-trunc"),
        "image": ("image", "ls", "-q", "--no-trunc"),
        "volume": ("volume", "ls", "-q"),
        "network": ("network", "ls", "-q", "--no-trunc"),
    }[kind]
    return inspect(kind, list(dict.fromkeys(docker(*listing).out.split())))


def of_service(project: str, service: str) -> list[dict[str, Any]]:
    """Return the containers of a service in the order of their numbers; one-off runs are none of them."""
    words = ["ps", "-aq", "--no-trunc", "--filter", f"label={_PROJECT}={project}"]
    words += ["--filter", f"label={_PROJECT.rpartition('.')[0]}.service={service}"]
    words += ["--filter", f"label={_PROJECT.rpartition('.')[0]}.oneoff=False"]
    return sorted(inspect("container", docker(*words).out.split()), key=_number)


def of_projects(projects: Iterable[str]) -> list[dict[str, Any]]:
    """Return the containers of Compose projects."""
    wanted = set(projects)
    return [one for one in every("container") if (one["Config"].get("Labels") or {}).get(_PROJECT) in wanted]


def image_id(name: str) -> str:
    """Return the id of an image that is here; empty: it is not."""
    done = docker("image", "inspect", "--format", "{{.Id}}", name, check=False)
    return "" if done.code else done.out.strip()


def _number(container: dict[str, Any]) -> int:
    return int((container["Config"].get("Labels") or {}).get("com.docker.compose.container-number") or 0)
