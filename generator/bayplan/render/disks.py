"""Volumes of a class: where on which disk a new one is made.

A volume that exists is left where it is, whatever its class says: another definition of it would make Compose offer to
make it anew, without the data.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from bayplan.finding import Finding, note
from bayplan.model.names import Name
from bayplan.render.emit import Said

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bayplan.model.fleet import Fleet, Node, Volume
    from bayplan.model.placement import Placement

_OF_ONE_NODE = ("single", "shared")
_SOMEBODYS_WORD = ("driver", "driver_opts")


def volume_body(fleet: Fleet, node: Node, volume: Volume) -> dict[str, Any]:
    """Return the definition of a volume on a node: as it was written, or bound to a folder on the disk of its class.

    One that the Compose file expects (`external: true`) and the policy has made is made by Compose, under its name.
    """
    body = dict(volume.body)
    if body.get("external") and not volume.external:
        body = {**{key: one for key, one in body.items() if key != "external"}, "name": volume.real_name}
    folder = folder_of(fleet, node, volume)
    if folder:
        why = f"class {volume.disk_class}{f': {volume.why}' if volume.why else ''}"
        body |= {"driver": "local", "driver_opts": {"device": Said(folder, why), "o": "bind", "type": "none"}}
    return body


def folder_of(fleet: Fleet, node: Node, volume: Volume) -> str:
    """Return the folder that a volume is bound to on a node; empty if it stays with Docker, or where it is."""
    wanted = _wanted(fleet, node, volume)
    return wanted if volume.exists.get(node.name, wanted) == wanted else ""


def _wanted(fleet: Fleet, node: Node, volume: Volume) -> str:
    """Return the folder that a new volume gets; empty if the policy asks for none, or the Compose file has its own."""
    disk = node.disks.get(volume.disk_class)
    own = volume.external or volume.is_path or volume.access not in _OF_ONE_NODE
    if disk is None or not disk.path or own or any(key in volume.body for key in _SOMEBODYS_WORD):
        return ""
    return str(PurePosixPath(disk.path, "bayplan", fleet.name, volume.real_name))


def folders(fleet: Fleet, placement: Placement) -> dict[str, tuple[str, ...]]:
    """Return node → the folders that must be there before its volumes can be mounted."""
    found: dict[str, set[str]] = {}
    for node, names in _mounted(fleet, placement).items():
        made = {folder_of(fleet, fleet.nodes[node], fleet.volumes[name]) for name in names}
        found[node] = made - {""}
    return {node: tuple(sorted(made)) for node, made in found.items() if made}


def _mounted(fleet: Fleet, placement: Placement) -> Mapping[str, set[Name]]:
    """Return node → the volumes that copies there mount."""
    found: dict[str, set[Name]] = {}
    for service, node in sorted({(copy.service, seat.node) for copy, seat in placement.seats.items()}):
        keys = fleet.services[service].volume_keys
        names = {Name(service.project, key) for key in keys} & fleet.volumes.keys()
        found.setdefault(node, set()).update(names)
    return found


def disk_findings(fleet: Fleet, placement: Placement) -> Iterator[Finding]:
    """Yield a note for each node that keeps volumes away from the disk of their class, as they exist already."""
    for node, names in sorted(_mounted(fleet, placement).items()):
        machine = fleet.nodes[node]
        kept = [fleet.volumes[name] for name in sorted(names) if _elsewhere(fleet, machine, fleet.volumes[name])]
        if kept:
            classes = ", ".join(sorted({f"{one.disk_class} ({machine.disks[one.disk_class].path})" for one in kept}))
            listed = ", ".join(str(one.name) for one in kept)
            message = f"keeps {listed} where they are today: what exists is not made anew on the disk of its class"
            remedy = f"to have them on {classes}: stop their services, back them up, remove them, apply, and restore"
            yield note("volumes/class-elsewhere", kept[0].place, f"nodes.{node}", message, remedy)


def _elsewhere(fleet: Fleet, node: Node, volume: Volume) -> bool:
    wanted, there = _wanted(fleet, node, volume), volume.exists.get(node.name)
    if not wanted or there is None or there == wanted:
        return False
    return not there.startswith(f"{node.disks[volume.disk_class].path.rstrip('/')}/")
