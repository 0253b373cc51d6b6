"""What the kernel holds a process to: files of cgroup v1 and v2, read without asking Docker."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible_collections.bayplan.fleet.plugins.module_utils import cpuset, limits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

UNLIMITED = 1 << 60
"""More than any machine has: v1 says 'no limit' by a number near 2^63."""
_NOWHERE = Path("/nonexistent")
_ORDINARY = ("", "system.slice", "docker", "/")
"""Where containers are that were put nowhere."""


@dataclass(frozen=True)
class Group:
    """The control groups of one process: controller → (mount point, path below it). On v2 there is only `""`."""

    version: int
    paths: Mapping[str, tuple[Path, str]] = field(default_factory=dict)

    def folder(self, controller: str) -> Path | None:
        """Return the folder with a controller's files."""
        mount, path = self.paths.get(controller if self.version == 1 else "", (None, ""))
        return None if mount is None else mount / path.lstrip("/")

    @property
    def path(self) -> str:
        """Return the path of the group that limits memory."""
        return self.paths.get("memory" if self.version == 1 else "", (None, ""))[1]

    def parents(self) -> Iterator[tuple[str, Path]]:
        """Yield path and folder of the group and what is above it, up to where the node's own begins."""
        mount, path = self.paths.get("memory" if self.version == 1 else "", (None, ""))
        while mount is not None and path not in ("", "/"):
            yield path, mount / path.lstrip("/")
            path = path.rpartition("/")[0]


def mounts(proc: Path = Path("/proc")) -> dict[str, Path]:
    """Return controller → mount point; `""` is v2."""
    found: dict[str, Path] = {}
    for line in (proc / "mounts").read_text(encoding="utf-8").splitlines():
        _, where, kind, options = line.split(" ")[:4]
        for name in [""] if kind == "cgroup2" else options.split(",") if kind == "cgroup" else []:
            found.setdefault(name, Path(where))
    return found


def group_of(pid: int, where: Mapping[str, Path], proc: Path = Path("/proc")) -> Group | None:
    """Return the groups of a process; None: it ended, or it is in the node's own group, which limits no container."""
    try:
        lines = (proc / str(pid) / "cgroup").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    paths: dict[str, tuple[Path, str]] = {}
    for line in lines:
        _, names, path = line.split(":", 2)
        for name in names.split(","):
            if name in where:
                paths[name] = (where[name], path)
    group = Group(1 if "memory" in paths else 2, paths)
    return None if pid <= 0 or group.path in ("", "/") else group


def limits_of(group: Group, every: frozenset[int] = frozenset()) -> dict[str, Any]:
    """Return the limits of the group itself, in their normal form."""
    read = _first if group.version == 1 else _second
    found = limits.normal({**read(group), "cgroup_parent": _parent(group.path)}, every)
    if not _can_swap(group):
        del found["swap"]
    return found


def effective_memory(group: Group) -> dict[str, Any]:
    """Return the smallest memory limit of the group and all above it, and which group that is."""
    name = "memory.limit_in_bytes" if group.version == 1 else "memory.max"
    found = [(amount, path) for path, folder in group.parents() if (amount := _amount(folder / name)) is not None]
    return {"memory": None, "by": ""} if not found else dict(zip(("memory", "by"), min(found)))


def usage_of(group: Group) -> dict[str, int]:
    """Return what is used: all, what cannot be given back, and how often the kernel had to kill."""
    folder = group.folder("memory")
    if folder is None:
        return {"memory": 0, "unreclaimable": 0, "oom_kills": 0}
    first = group.version == 1
    used = _amount(folder / ("memory.usage_in_bytes" if first else "memory.current")) or 0
    stat, kills = _table(folder / "memory.stat"), _table(folder / ("memory.oom_control" if first else "memory.events"))
    mark = "total_" if first else ""
    cache = stat.get(f"{mark}inactive_file", 0) + stat.get(f"{mark}active_file", 0)
    return {"memory": used, "unreclaimable": max(used - cache, 0), "oom_kills": kills.get("oom_kill", 0)}


def every_core(where: Mapping[str, Path]) -> frozenset[int]:
    """Return the cores that the node has for its containers."""
    for mount, name in ((where.get("cpuset"), "cpuset.cpus"), (where.get(""), "cpuset.cpus.effective")):
        if mount and (text := _word(mount / name)):
            return cpuset.cores_of(text)
    online = _word(Path("/sys/devices/system/cpu/online"))
    return cpuset.cores_of(online or "")


def _first(group: Group) -> dict[str, Any]:
    memory, cpu, cores, pids = (group.folder(name) or _NOWHERE for name in ("memory", "cpu", "cpuset", "pids"))
    most, both = _amount(memory / "memory.limit_in_bytes"), _amount(memory / "memory.memsw.limit_in_bytes")
    quota, period = _number(cpu / "cpu.cfs_quota_us"), _number(cpu / "cpu.cfs_period_us")
    return {
        "memory": most,
        "swap": None if most is None else -1 if both is None else both - most,
        "cpus": round(quota * 1000 / period) if quota and period and quota > 0 else None,
        "pids": _number(pids / "pids.max"),
        "cpuset": _word(cores / "cpuset.cpus"),
        "shares": _number(cpu / "cpu.shares"),
        "reservation": _amount(memory / "memory.soft_limit_in_bytes"),
    }


def _second(group: Group) -> dict[str, Any]:
    folder = group.folder("")
    if folder is None:
        return {}
    quota, _, period = (_word(folder / "cpu.max") or "max 100000").partition(" ")
    most, swap = _amount(folder / "memory.max"), _amount(folder / "memory.swap.max")
    weight = _number(folder / "cpu.weight")
    return {
        "memory": most,
        "swap": None if most is None else -1 if swap is None else swap,
        "cpus": None if quota == "max" else round(int(quota) * 1000 / int(period or 100000)),
        "pids": _number(folder / "pids.max"),
        "cpuset": _word(folder / "cpuset.cpus"),
        "shares": None if weight in (None, 100) else limits.shares_of(weight or 1),
        "reservation": _number(folder / "memory.low"),
    }


def _can_swap(group: Group) -> bool:
    """Whether the kernel counts swap by group at all."""
    folder = group.folder("memory")
    name = "memory.memsw.limit_in_bytes" if group.version == 1 else "memory.swap.max"
    return folder is not None and (folder / name).exists()


def _parent(path: str) -> str:
    """Return the slice that a container was put into; empty: nobody put it anywhere."""
    name = path.rpartition("/")[0].rpartition("/")[2]
    return "" if name in _ORDINARY else name


def _word(file: Path) -> str | None:
    try:
        return file.read_text(encoding="ascii").strip()
    except OSError:
        return None


def _number(file: Path) -> int | None:
    """Return the number in a file; None: it has none, or says `max`."""
    word = _word(file)
    return int(word) if word and word.lstrip("-").isdigit() else None


def _amount(file: Path) -> int | None:
    """Return the bytes in a file; None: no limit."""
    number = _number(file)
    return None if number is None or number >= UNLIMITED or number < 0 else number


def _table(file: Path) -> dict[str, int]:
    """Return a file of `name number` lines."""
    lines = (line.split() for line in (_word(file) or "").splitlines())
    return {words[0]: int(words[1]) for words in lines if len(words) == 2 and words[1].isdigit()}  # noqa: PLR2004
