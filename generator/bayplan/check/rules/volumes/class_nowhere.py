"""Volumes of a class of disk that no node has, or not the one where they are wanted."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model.names import Name
from bayplan.model.quantity import DISK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("volumes/class-nowhere", Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each volume whose class is the name of no disk where its services stand."""
    yield from _reserves(survey)
    everywhere = {name for node in survey.fleet.nodes.values() for name in node.disks}
    where = _nodes(survey)
    for volume in survey.fleet.volumes.values():
        if not everywhere or not volume.disk_class:
            continue
        lacking = [node for node in sorted(where.get(volume.name, ())) if not _has(survey, node, volume.disk_class)]
        if volume.disk_class in everywhere and not lacking:
            continue
        there = {name for node in lacking for name in survey.fleet.nodes[node].disks}
        classes = sorted(there or everywhere)
        near = (*get_close_matches(volume.disk_class, classes, 1), *classes)[0]
        key = survey.volume_key(volume)
        written = survey.at("volumes", key, "class")
        nobody = volume.disk_class not in everywhere
        yield RULE.finding(
            written.place if written is not None else volume.place,
            volume.name,
            f"is to be on a disk of class {volume.disk_class}, which "
            + ("no node has" if nobody else f"{', '.join(lacking)} has not, where it is mounted"),
            arithmetic=f"{volume.disk_class} is not among {', '.join(classes)}",
            write=near if written is not None else "",
            paste="" if written is not None else survey.paste(("volumes", key, "class"), near),
        )


def _reserves(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each reserve on a class of disk that its node has not."""
    for node in survey.fleet.nodes.values():
        for resource, amount in node.reserve.items():
            disk = resource.removeprefix(DISK)
            if resource.startswith(DISK) and node.disks and disk not in node.disks:
                yield RULE.finding(
                    amount.place,
                    f"nodes.{node.name}",
                    f"reserves space on a disk of class {disk}, which it has not",
                    arithmetic=f"{disk} is not among {', '.join(sorted(node.disks))}",
                    remedy="name a class of its disks, or take the line away",
                )


def _has(survey: Survey, node: str, disk: str) -> bool:
    """Whether a node has a class of disk; where nothing is known of its disks, it may."""
    disks = survey.fleet.nodes[node].disks
    return not disks or disk in disks


def _nodes(survey: Survey) -> dict[Name, set[str]]:
    """Return volume → the nodes on which services that mount it stand."""
    found: dict[Name, set[str]] = {}
    for service in survey.services:
        for key in service.volume_keys:
            name = Name(service.name.project, key)
            found.setdefault(name, set()).update(survey.nodes_of.get(service.name, ()))
    return found
