"""What a node needs beside its Compose files: slices, Docker's options, proxies, folders."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bayplan.place.cores import core_findings
from bayplan.render.disks import disk_findings, folders
from bayplan.render.edges import edge_files
from bayplan.render.slices import slice_findings, slices

if TYPE_CHECKING:
    from bayplan.finding import Finding
    from bayplan.model.fleet import Fleet
    from bayplan.model.placement import Placement

_LOG_SIZE = "10m"
_LOG_FILES = "3"


@dataclass(frozen=True, slots=True)
class Needs:
    """What must be true of a node before its files work.

    Attributes:
        cgroup_driver: `systemd` where containers join a slice; empty if either will do.
        folders: absolute paths that must exist.
    """

    cgroup_driver: str = ""
    folders: tuple[str, ...] = ()


def node_files(fleet: Fleet, placement: Placement, policy: str) -> dict[str, str]:
    """Return `<node>/<path>` → text of all that a node gets beside its Compose files.

    Args:
        fleet: TO-BE.
        placement: where its copies stand.
        policy: the policy folder as it is written in the header.
    """
    needed = needs(fleet, placement)
    files = {f"{node}/daemon.json": _daemon(fleet, some) for node, some in needed.items()}
    for node, made in slices(fleet, placement, policy).items():
        files |= {f"{node}/units/{unit}": text for unit, text in made.items()}
    return dict(sorted((files | edge_files(fleet, placement, policy)).items()))


def needs(fleet: Fleet, placement: Placement) -> dict[str, Needs]:
    """Return what each node needs on which something stands, by name."""
    sliced = slices(fleet, placement, "")
    nodes = sorted({seat.node for seat in placement.seats.values()})
    made = folders(fleet, placement)
    return {node: Needs("systemd" if node in sliced else "", made.get(node, ())) for node in nodes}


def node_findings(fleet: Fleet, placement: Placement) -> list[Finding]:
    """Return what cannot be compiled as the policy says it, or is compiled otherwise."""
    return [*slice_findings(fleet), *core_findings(fleet, placement), *disk_findings(fleet, placement)]


def _daemon(fleet: Fleet, needed: Needs) -> str:
    """Return the part of Docker's daemon.json that the policy needs; the reasons stand in ARCHITECTURE.md."""
    options: dict[str, Any] = {
        "log-driver": "json-file",
        "log-opts": {"max-file": _LOG_FILES, "max-size": _LOG_SIZE},
    }
    if needed.cgroup_driver:
        options["exec-opts"] = [f"native.cgroupdriver={needed.cgroup_driver}"]
    if fleet.targets[0] != "swarm":  # Docker refuses the two together
        options["live-restore"] = True
    return json.dumps(options, indent=2, sort_keys=True) + "\n"
