"""The node itself: processor, memory, cards, keys, slices."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible_collections.bayplan.fleet.plugins.module_utils import cgroups, cpuset
from ansible_collections.bayplan.fleet.plugins.module_utils.command import run
from ansible_collections.bayplan.fleet.plugins.module_utils.files import json_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"}
_KEYS = ("ed25519", "ecdsa", "rsa")


def hardware() -> dict[str, Any]:
    """Return name, architecture, processor and memory."""
    machine = os.uname().machine
    siblings = text_of(Path("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list")) or "0"
    table = memory()
    return {
        "node": os.uname().nodename,
        "arch": _ARCHITECTURES.get(machine, machine),
        "cpus": len(os.sched_getaffinity(0)),
        "threads_per_core": max(len(cpuset.cores_of(siblings)), 1),
        "memory": table.get("MemTotal", 0),
        "swap": table.get("SwapTotal", 0),
    }


def memory(file: Path = Path("/proc/meminfo")) -> dict[str, int]:
    """Return name → bytes of the kernel's table of memory."""
    found = re.findall(r"^(\w+):\s+(\d+)(?: kB)?$", file.read_text(encoding="ascii"), flags=re.MULTILINE)
    return {name: int(amount) * 1024 for name, amount in found}


def host_keys(folder: Path = Path("/etc/ssh")) -> list[str]:
    """Return the public keys by which ssh knows this node, the best first."""
    texts = [text_of(folder / f"ssh_host_{kind}_key.pub") for kind in _KEYS]
    return [" ".join(text.split()[:2]) for text in texts if text]


def daemon_settings() -> dict[str, Any]:
    """Return what /etc/docker/daemon.json says: docker info leaves the log's options out."""
    found = json_of(Path("/etc/docker/daemon.json"))
    return found if isinstance(found, dict) else {}


def storage(folder: str) -> dict[str, Any]:
    """Return size and free room of the disk with Docker's data."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return {"path": folder, "size": 0, "free": 0}
    return {"path": folder, "size": found.f_blocks * found.f_frsize, "free": found.f_bavail * found.f_frsize}


def cards(library: str) -> list[dict[str, Any]]:
    """Return the GPUs as NVIDIA's library sees them; none without the library or a card.

    Args:
        library: path of a pynvml.py.
    """
    spec = importlib.util.spec_from_file_location("pynvml", library) if library else None
    if spec is None or spec.loader is None:
        return []
    nvml: Any = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = nvml  # it looks itself up there
    sys.dont_write_bytecode = True  # root's bytecode beside a file of the user's could not be removed by the latter
    try:
        spec.loader.exec_module(nvml)
        nvml.nvmlInit()
    except Exception:  # noqa: BLE001 - no file, no driver, no card: each in a class of its own
        return []
    try:
        return [_card(nvml, index) for index in range(nvml.nvmlDeviceGetCount())]
    finally:
        with contextlib.suppress(Exception):
            nvml.nvmlShutdown()


def _card(nvml: Any, index: int) -> dict[str, Any]:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    words = [nvml.nvmlDeviceGetUUID(handle), nvml.nvmlDeviceGetName(handle)]
    uuid, model = (one.decode() if isinstance(one, bytes) else str(one) for one in words)
    return {"index": index, "uuid": uuid, "model": model, "memory": int(nvml.nvmlDeviceGetMemoryInfo(handle).total)}


def slices(names: Iterable[str], where: Mapping[str, Path]) -> list[dict[str, Any]]:
    """Return limit and drop-ins of slices. The limit is the kernel's: systemd also shows what the kernel refused."""
    wanted = sorted(set(names))
    if not wanted:
        return []
    done = run(["systemctl", "show", "-p", "Id,DropInPaths", "--", *wanted], check=False)
    blocks = [dict(line.partition("=")[::2] for line in block.splitlines()) for block in done.out.split("\n\n")]
    drop_ins = {block.get("Id", ""): (block.get("DropInPaths") or "").split() for block in blocks}
    return [
        {"name": name, "memory_max": slice_limit(name, where), "drop_ins": sorted(drop_ins.get(name, []))}
        for name in wanted
    ]


def slice_path(name: str) -> str:
    """Return where a slice is among the control groups: `a-b.slice` is in `a.slice`."""
    parts = name.rpartition(".slice")[0].split("-")
    return "/".join("-".join(parts[: end + 1]) + ".slice" for end in range(len(parts)))


def slice_group(name: str, where: Mapping[str, Path]) -> cgroups.Group | None:
    """Return the control group of a slice; None: nothing is in it, so that the kernel does not know it."""
    version = 1 if "memory" in where else 2
    names = ("memory",) if version == 1 else ("",)
    group = cgroups.Group(version, {one: (where[one], f"/{slice_path(name)}") for one in names if one in where})
    folder = group.folder("memory")
    return group if folder is not None and folder.is_dir() else None


def slice_limit(name: str, where: Mapping[str, Path]) -> int | None:
    """Return how much memory a slice may use; None: no limit."""
    group = slice_group(name, where)
    return cgroups.limits_of(group)["memory"] if group else None
