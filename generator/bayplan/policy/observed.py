"""What was observed on the nodes: `inventory/<fleet>/observed/<node>.yml`, written by `bayplan observe`.

The files hold facts (hardware, running services, volume sizes, the measured use of all that is not ours), never
utilisation of our own services. Units: CPU in thousandths, memory and disk in bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from bayplan.finding import Finding, Place, error, warning
from bayplan.model.fleet import Disk, Gpu
from bayplan.model.names import Instance, Name
from bayplan.model.quantity import CPUS, GPU_MEMORY, MEMORY, Origin, Quantity
from bayplan.source import Node, plain, read_yaml, shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Observed:
    """The facts of one node, with the file that holds them."""

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
    running: tuple[Instance, ...] = ()


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
            facts = _facts(node)
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


def _facts(node: Node) -> Observed | None:
    data: dict[str, Any] = plain(node)
    if data.get("schema_version") != SCHEMA_VERSION:
        return None
    place = node.place

    def measured(amount: object, source: str = "observed") -> Quantity:
        return Quantity(int(str(amount)), Origin.MEASURED, place, source)

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
        volumes={str(name): int(size) for name, size in (data.get("volumes") or {}).items()},
        running=tuple(
            Instance(Name(str(one["project"]), str(one["service"])), int(one.get("number", 1)))
            for one in data.get("services") or ()
        ),
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
