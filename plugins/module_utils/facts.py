"""All that can be known of a node without changing it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible_collections.bayplan.fleet.plugins.module_utils import engine, journal, lease, machine, state
from ansible_collections.bayplan.fleet.plugins.module_utils.containers import Kernel, fact
from ansible_collections.bayplan.fleet.plugins.module_utils.files import allocated, json_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ansible_collections.bayplan.fleet.plugins.module_utils.home import Home

_LABEL = "com.docker.compose."


def collect(home: Home, pynvml: str = "", *, sizes: bool = True) -> dict[str, Any]:
    """Return the facts of this node.

    Args:
        home: where bayplan keeps what.
        pynvml: path of NVIDIA's library for Python; empty: cards are not looked for.
        sizes: whether to walk the volumes, which takes long where they hold many files.
    """
    kernel, daemon = Kernel.here(), engine.info()
    containers = [fact(one, kernel) for one in engine.every("container")]
    settings = machine.daemon_settings()
    return {
        **machine.hardware(),
        "cgroup": int(daemon.get("CgroupVersion") or 1),
        "cgroup_driver": daemon.get("CgroupDriver") or "",
        "docker": daemon.get("ServerVersion") or "",
        "compose": engine.compose_version(),
        "storage": machine.storage(daemon.get("DockerRootDir") or "/var/lib/docker"),
        "live_restore": bool(daemon.get("LiveRestoreEnabled")),
        "log_driver": daemon.get("LoggingDriver") or "",
        "log_opts": settings.get("log-opts") or {},
        "gpus": machine.cards(pynvml),
        "host_key": next(iter(machine.host_keys()), ""),
        "containers": sorted(containers, key=lambda one: (one["project"], one["service"], one["number"], one["name"])),
        "volumes": _volumes(containers, sizes=sizes),
        "networks": sorted((_network(one) for one in engine.every("network")), key=lambda one: str(one["name"])),
        "images": sorted((_image(one) for one in engine.every("image")), key=lambda one: str(one["id"])),
        "slices": machine.slices(_slices(containers) | {"system.slice"}, kernel.where),
        **_ours(home),
    }


def _ours(home: Home) -> dict[str, Any]:
    """Return what bayplan itself left on the node."""
    manifest = json_of(home.current / "manifest.json") or {}
    projects: Mapping[str, Any] = manifest.get("projects") or {}
    lines = journal.read(home.journal)
    return {
        "release": home.current_plan(),
        "deployed": {
            name: {"root": one.get("root", ""), "compose": text_of(home.current / name / "compose.yaml") or ""}
            for name, one in sorted(projects.items())
        },
        "journal": {
            "lines": len(lines.entries),
            "valid": not lines.why,
            "last": lines.last,
            "last_act": next((line for line in reversed(lines.entries) if line.get("what") != "lock"), None),
        },
        "lock": lease.read(home.lock),
        "fences": _names(home.fences),
        "incomplete": _names(home.incomplete),
        "settled": state.read(home.state)["settled"],
    }


def _volumes(containers: Sequence[Mapping[str, Any]], *, sizes: bool) -> list[dict[str, Any]]:
    """Return the volumes of Compose: by their label, or because one of its containers uses them."""
    used = {mount["name"] for one in containers if one["project"] for mount in one["mounts"] if mount["name"]}
    found = []
    for one in engine.every("volume"):
        labels = one.get("Labels") or {}
        if _LABEL + "project" in labels or one["Name"] in used:
            device = (one.get("Options") or {}).get("device") or ""
            folder = device if device.startswith("/") else one.get("Mountpoint") or ""
            found.append(
                {
                    "name": one["Name"],
                    "driver": one.get("Driver") or "",
                    "device": device,
                    "size": allocated(Path(folder)) if sizes and folder else 0,
                    "project": labels.get(_LABEL + "project") or "",
                    "key": labels.get(_LABEL + "volume") or "",
                }
            )
    return sorted(found, key=lambda one: str(one["name"]))


def _network(one: Mapping[str, Any]) -> dict[str, Any]:
    pools = (one.get("IPAM") or {}).get("Config") or []
    return {"name": one["Name"], "driver": one["Driver"], "subnets": [pool["Subnet"] for pool in pools]}


def _image(one: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": one["Id"], "tags": sorted(one.get("RepoTags") or []), "arch": one.get("Architecture") or ""}


def _slices(containers: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the slices that containers were put into, and those of ours."""
    parents = {one["configured"]["cgroup_parent"] for one in containers}
    own = {file.name for file in Path("/etc/systemd/system").glob("bayplan*.slice")}
    return {name for name in parents | own if name.endswith(".slice")}


def _names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir() if not one.name.startswith(".")) if folder.is_dir() else []
