"""Folders in memory that may grow larger than the memory of their container."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bayplan.check.compose_lines import line
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model import units
from bayplan.model.quantity import MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.model.service import Service
    from bayplan.source import Node

RULE = Rule("volumes/tmpfs-over-limit", Severity.WARNING)
_SIZE = re.compile(r"(?<=[:,]size=)[^,]+")


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each container whose folders in memory may alone fill its limit."""
    for service in survey.services:
        limit = service.limits.get(MEMORY)
        sizes = list(_sizes(service)) if limit is not None else []
        total = sum(size for _, size, _, _ in sizes)
        if limit is None or total < limit.amount or not sizes:
            continue
        sums = " + ".join(units.show_bytes(one) for _, one, _, _ in sizes)
        what, size, node, text = max(sizes, key=lambda one: one[1])
        half = limit.amount // 2 // units.MIB * units.MIB - (total - size)
        right = units.compose_bytes(half) if half >= units.MIB else ""
        yield RULE.finding(
            node.place,
            service.name,
            f"may keep {units.show_bytes(total)} in {what}, which count as its memory, of which it has "
            f"{units.show_bytes(limit.amount)}: it is killed before they are full",
            arithmetic=f"{sums} >= {units.show_bytes(limit.amount)}",
            write=f'"{text.replace("SIZE", right)}"' if right else "",
            remedy="or give it that much memory more" if right else "make them smaller, or its memory larger",
            also=(limit.place,),
        )


def _sizes(service: Service) -> Iterator[tuple[str, int, Node, str]]:
    """Yield where something is kept in memory, up to which size, the node that says it, and how it would be said."""
    shared = line(service, "shm_size")
    if shared is not None and (size := _bytes(shared.string)):
        yield "/dev/shm", size, shared, "SIZE"  # noqa: S108 - a name in a sentence
    for item in line(service, "tmpfs") or ():
        said = _SIZE.search(item.string)
        if said is not None and (size := _bytes(said[0])):
            yield item.string.partition(":")[0], size, item, _SIZE.sub("SIZE", item.string)
    for mount in line(service, "volumes") or ():
        options = mount.get("tmpfs")
        found = options.get("size") if options is not None else None
        if found is not None and (size := _bytes(found.string)):
            target = mount.get("target")
            yield target.string if target is not None else "a tmpfs", size, found, "SIZE"


def _bytes(text: str) -> int:
    """Return a size, 0 where it is none: a share of the machine, or a variable."""
    try:
        return units.docker_memory(text)
    except units.UnitError:
        return 0
