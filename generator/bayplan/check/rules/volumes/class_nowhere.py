"""Volumes of a class of disk that no node has."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("volumes/class-nowhere", Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each volume whose class is the name of no disk."""
    classes = sorted({name for node in survey.fleet.nodes.values() for name in node.disks})
    for volume in survey.fleet.volumes.values():
        if not classes or not volume.disk_class or volume.disk_class in classes:
            continue
        near = (*get_close_matches(volume.disk_class, classes, 1), *classes)[0]
        key = survey.volume_key(volume)
        written = survey.at("volumes", key, "class")
        yield RULE.finding(
            written.place if written is not None else volume.place,
            volume.name,
            f"is to be on a disk of class {volume.disk_class}, which no node has",
            arithmetic=f"{volume.disk_class} is not among {', '.join(classes)}",
            write=near if written is not None else "",
            paste="" if written is not None else survey.paste(("volumes", key, "class"), near),
        )
