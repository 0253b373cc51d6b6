"""A container as one flat value: from what `docker inspect` says and what the kernel holds it to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible_collections.bayplan.fleet.plugins.module_utils import cgroups, limits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_COMPOSE = "com.docker.compose."


@dataclass(frozen=True)
class Kernel:
    """How to read the kernel's files on this node: found out once, used for every container."""

    where: Mapping[str, Path]
    every: frozenset[int]
    proc: Path = Path("/proc")

    @classmethod
    def here(cls) -> Kernel:
        """Look where the control groups are mounted."""
        where = cgroups.mounts()
        return cls(where, cgroups.every_core(where))

    def group(self, inspected: Mapping[str, Any]) -> cgroups.Group | None:
        """Return the control groups of a container; None: it does not run (any more: its number may be another's)."""
        group = cgroups.group_of(int(inspected["State"].get("Pid") or 0), self.where, self.proc)
        return group if group and inspected["Id"] in group.path else None


def label(inspected: Mapping[str, Any], name: str) -> str:
    """Return what Compose noted on a container."""
    return str((inspected["Config"].get("Labels") or {}).get(_COMPOSE + name) or "")


def number_of(inspected: Mapping[str, Any]) -> int:
    """Return which copy of its service a container is; 0: it is none, as one-off runs are none."""
    return 0 if label(inspected, "oneoff") == "True" else int(label(inspected, "container-number") or 0)


def service_of(inspected: Mapping[str, Any]) -> str:
    """Return `project/service`; empty: Compose does not know the container."""
    project, service = label(inspected, "project"), label(inspected, "service")
    return f"{project}/{service}" if project and service else ""


def is_running(inspected: Mapping[str, Any]) -> bool:
    """Whether a container runs, or is about to again."""
    return inspected["State"].get("Status") in ("running", "paused", "restarting")


def fact(inspected: Mapping[str, Any], kernel: Kernel) -> dict[str, Any]:
    """Return all that anybody asks of a container."""
    state, config, host = inspected["State"], inspected["Config"], inspected["HostConfig"]
    group = kernel.group(inspected)
    return {
        "id": inspected["Id"],
        "name": inspected["Name"].lstrip("/"),
        "project": label(inspected, "project"),
        "service": label(inspected, "service"),
        "number": number_of(inspected),
        "image": config.get("Image") or "",
        "image_id": inspected.get("Image") or "",
        "state": state.get("Status") or "",
        "health": (state.get("Health") or {}).get("Status") or "",
        "started": state.get("StartedAt") or "",
        "restarts": int(inspected.get("RestartCount") or 0),
        "exit_code": int(state.get("ExitCode") or 0),
        "oom_killed": bool(state.get("OOMKilled")),
        "config_hash": label(inspected, "config-hash"),
        "config_files": [one for one in label(inspected, "project.config_files").split(",") if one],
        "working_dir": label(inspected, "project.working_dir"),
        "network_mode": host.get("NetworkMode") or "",
        "ports": _ports(host.get("PortBindings") or {}),
        "restart_policy": (host.get("RestartPolicy") or {}).get("Name") or "no",
        "mounts": _mounts(inspected.get("Mounts") or []),
        "configured": limits.of_record(host, kernel.every),
        "kernel": cgroups.limits_of(group, kernel.every) if group else None,
        "effective": cgroups.effective_memory(group) if group else None,
        "usage": cgroups.usage_of(group) if group else None,
    }


def _ports(bindings: Mapping[str, Any]) -> list[str]:
    found = []
    for inside, outsides in bindings.items():
        for one in outsides or []:
            address, port = one.get("HostIp") or "", one.get("HostPort") or ""
            address = f"[{address}]" if ":" in address else address
            found.append(":".join([*([address] if address else []), port, inside]))
    return sorted(found)


def _mounts(mounts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    found = [
        {
            "type": one.get("Type") or "",
            "name": one.get("Name") or "",
            "source": one.get("Source") or "",
            "target": one.get("Destination") or "",
            "rw": bool(one.get("RW")),
        }
        for one in mounts
    ]
    return sorted(found, key=lambda one: str(one["target"]))
