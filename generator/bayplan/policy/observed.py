"""What was observed on the nodes: `inventory/<fleet>/observed/<node>.yml`, written by `bayplan observe`.

The files hold facts (hardware, containers with their limits, volume sizes, the measured use of all that is not ours),
never utilisation of our own services. Units: CPU in thousandths, memory and disk in bytes. Beside a file, in a folder
of the node's name, stand the Compose files that bayplan has deployed there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from bayplan.compose.read import read_project
from bayplan.finding import Finding, Place, error, warning
from bayplan.model.fleet import Disk, Gpu
from bayplan.model.names import Instance, Name
from bayplan.model.quantity import CPUS, GPU_MEMORY, MEMORY, Origin, Quantity
from bayplan.source import Node, plain, read_yaml, shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bayplan.compose.read import ComposeProject

SCHEMA_VERSION = 1
_WORDS = ("cpuset", "cgroup_parent")


@dataclass(frozen=True, slots=True)
class Engine:
    """Docker on a node: the versions of engine and Compose, the cgroup version and driver."""

    engine: str = ""
    compose: str = ""
    cgroup: int = 0
    driver: str = ""
    live_restore: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """A container, as Compose names and counts it on its node.

    Attributes:
        copy: project, service and number.
        running: whether it runs; one that rests or has stopped is there, but does not.
        done: whether it has ended without an error.
        image: what it was made from.
        limits: as configured; what is not among them is unbounded. None if nobody looked.
    """

    copy: Instance
    running: bool = True
    done: bool = False
    image: str = ""
    limits: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Deployed:
    """A project as the current release of bayplan has it on a node."""

    root: str = ""
    release: str = ""
    compose: ComposeProject | None = None


@dataclass(frozen=True, slots=True)
class Observed:
    """The facts of one node.

    Attributes:
        node, file: whose they are, and the file that holds them.
        taken: when the node was asked.
        capacity, reserve, gpus, disks: what it has, and what is not for us.
        volumes, devices: real name of each volume → its bytes, and the folder that it is bound to, if to one of ours.
        containers: those of all Compose projects.
        projects: what bayplan has deployed there.
        keys: what a plan depends on, each as a digest.
    """

    node: str
    file: str
    taken: datetime | None = None
    arch: str = ""
    threads_per_core: int = 1
    capacity: Mapping[str, Quantity] = field(default_factory=dict)
    reserve: Mapping[str, Quantity] = field(default_factory=dict)
    gpus: tuple[Gpu, ...] = ()
    disks: Mapping[str, Disk] = field(default_factory=dict)
    volumes: Mapping[str, int] = field(default_factory=dict)
    devices: Mapping[str, str] = field(default_factory=dict)
    containers: tuple[Seen, ...] = ()
    docker: Engine = Engine()
    projects: Mapping[str, Deployed] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)


def read_observed(folder: Path) -> tuple[dict[str, Observed], tuple[Finding, ...]]:
    """Return the observed facts by node; a fleet that was never observed has none.

    Args:
        folder: `inventory/<fleet>/observed`.
    """
    observed: dict[str, Observed] = {}
    findings: list[Finding] = []
    files = sorted(folder.glob("*.yml")) if folder.is_dir() else []
    for file in files:
        node, found = read_yaml(file, shown(file))
        findings.extend(found)
        if node is None:
            continue
        try:
            projects, faults = _projects(node, file.with_suffix(""))
            findings.extend(faults)
            facts = _facts(node, projects)
        except (TypeError, ValueError, KeyError, AttributeError) as fault:
            message = f"is not what bayplan observe writes ({fault})"
            findings.append(error("inventory/unreadable", node.place, file.stem, message, "observe the node again"))
            continue
        if facts is None:
            message = f"has schema_version {plain(node).get('schema_version')}, this version reads {SCHEMA_VERSION}"
            remedy = "use the bayplan that wrote it, or observe the node again"
            findings.append(error("inventory/newer", node.place, file.stem, message, remedy))
            continue
        observed[facts.node] = facts
    return observed, tuple(findings)


def _projects(node: Node, folder: Path) -> tuple[dict[str, Deployed], list[Finding]]:
    """Return the projects that bayplan deployed, each with its file; what cannot be read is named once, as a whole."""
    findings = []
    files = {file.stem: file for file in folder.glob("*.yaml")}
    projects = {}
    for name, one in (plain(node).get("projects") or {}).items():
        compose, found = read_project(name, [files[name]], verbatim=True) if name in files else (None, ())
        if compose is None:
            message = f"has no readable Compose file of {name} beside it ({folder.name}/{name}.yaml)"
            place = found[0].place if found else node.place
            findings.append(error("inventory/unreadable", place, node.place.file, message, "observe the node again"))
        projects[name] = Deployed(str(one.get("root", "")), str(one.get("release", "")), compose)
    return dict(sorted(projects.items())), findings


def _facts(node: Node, projects: Mapping[str, Deployed]) -> Observed | None:
    data: dict[str, Any] = plain(node)
    if data.get("schema_version") != SCHEMA_VERSION:
        return None
    place = node.place

    def measured(amount: object, source: str = "observed") -> Quantity:
        return Quantity(int(str(amount)), Origin.MEASURED, place, source)

    volumes = {
        str(name): one if isinstance(one, dict) else {"size": one} for name, one in (data.get("volumes") or {}).items()
    }
    reserve = data.get("reserve") or {}
    window = f"measured over {reserve.get('window', '?')}, {reserve.get('samples', '?')} samples"
    return Observed(
        node=str(data["node"]),
        file=place.file,
        taken=_time(data.get("taken")),
        arch=str(data.get("arch", "")),
        threads_per_core=int(data.get("threads_per_core", 1)),
        capacity={CPUS: measured(int(data["cpus"]) * 1000), MEMORY: measured(data["memory"])},
        reserve={key: measured(reserve[key], window) for key in (CPUS, MEMORY, GPU_MEMORY) if key in reserve},
        gpus=tuple(
            Gpu(int(card["index"]), str(card["model"]), int(card["memory"]), uuid=str(card.get("uuid", "")))
            for card in data.get("gpus") or ()
        ),
        disks={
            str(name): Disk(str(disk.get("path", "")), int(disk["size"]))
            for name, disk in (data.get("disks") or {}).items()
        },
        volumes={name: int(one["size"]) for name, one in volumes.items()},
        devices={name: str(one.get("device", "")) for name, one in volumes.items()},
        containers=tuple(_seen(one) for one in data.get("services") or ()),
        docker=_engine(data.get("docker") or {}),
        projects=projects,
        keys={str(key): str(digest) for key, digest in (data.get("keys") or {}).items()},
    )


def _seen(one: Mapping[str, Any]) -> Seen:
    limits = one.get("limits")
    return Seen(
        copy=Instance(Name(str(one["project"]), str(one["service"])), int(one.get("number", 1))),
        running=one.get("running") is not False,
        done=one.get("done") is True,
        image=str(one.get("image", "")),
        limits=None if limits is None else {key: _limit(key, value) for key, value in limits.items()},
    )


def _limit(key: str, value: object) -> int | str:
    return str(value) if key in _WORDS else int(str(value))


def _engine(one: Mapping[str, Any]) -> Engine:
    return Engine(
        engine=str(one.get("engine", "")),
        compose=str(one.get("compose", "")),
        cgroup=int(one.get("cgroup", 0)),
        driver=str(one.get("driver", "")),
        live_restore=one.get("live_restore") is True,
    )


def _time(text: object) -> datetime | None:
    if not text:
        return None
    time = datetime.fromisoformat(str(text))
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def too_old(observed: Mapping[str, Observed], asked: timedelta, now: datetime) -> tuple[Finding, ...]:
    """Return a warning for each node whose facts are older than asked."""
    findings = []
    for name, facts in sorted(observed.items()):
        if facts.taken is None or now - facts.taken <= asked:
            continue
        days = (now - facts.taken).days
        message = f"was observed {days} days ago ({facts.taken:%Y-%m-%d}); {asked.days} days were asked for"
        place = Place(facts.file, 1, 1)
        findings.append(warning("inventory/old", place, name, message, "observe the node again"))
    return tuple(findings)
