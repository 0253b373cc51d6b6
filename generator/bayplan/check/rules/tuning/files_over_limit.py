"""Files in memory that may become larger than the limit of their container."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bayplan.check.compose_lines import laid, line
from bayplan.check.mending import larger_limit
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model import units
from bayplan.model.quantity import MEMORY
from bayplan.model.units import MIB, show_bytes
from bayplan.policy.values import word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding, Place
    from bayplan.model.service import Service

RULE = Rule("tuning/files-over-limit", Severity.WARNING)
_SIZE = re.compile(r"(?:^|[:,])size=([^,]+)")
_SHM = "shm_size"


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service whose shared memory and tmpfs may together take its limit, or more."""
    for service in survey.services:
        limit = service.limits.get(MEMORY)
        held = sorted(_held(service), key=lambda one: -one[1])
        total = sum(amount for _, amount, _ in held)
        if limit is None or total < limit.amount:
            continue
        sums = " + ".join(f"{show_bytes(amount)} ({what})" for what, amount, _ in held)
        alone = [what for what, _, _ in held] == [_SHM]
        yield RULE.finding(
            held[0][2],
            service.name,
            f"may keep {show_bytes(total)} in files in memory, which count as its own, in a limit of "
            f"{show_bytes(limit.amount)}: it is killed before they are full",
            arithmetic=f"{sums} >= {show_bytes(limit.amount)}",
            remedy=f"or a limit of {show_bytes(total * 4 // 3)}",
            paste=laid(survey, service, _SHM, f"{max(1, limit.amount // 4 // MIB)}m")
            if alone
            else larger_limit(survey, service, total * 4 // 3),
            also=(*(place for _, _, place in held[1:]), limit.place),
        )


def _held(service: Service) -> Iterator[tuple[str, int, Place]]:
    """Yield what a service may keep in memory as files: where, how many bytes, and the place that says it."""
    said = [(_SHM, line(service, _SHM))]
    for mount in line(service, "volumes") or ():
        tmpfs = mount.get("tmpfs")
        said.append((word(mount.get("target")), tmpfs.get("size") if tmpfs is not None else None))
    for what, node in said:
        amount = _bytes(node.text or word(node)) if node is not None else 0
        if amount and node is not None:
            yield what, amount, node.place
    for mount in line(service, "tmpfs") or ():
        found = _SIZE.search(mount.string)
        amount = _bytes(found[1]) if found else 0
        if amount:
            yield mount.string.partition(":")[0], amount, mount.place


def _bytes(text: str) -> int:
    try:
        return units.docker_memory(text)
    except units.UnitError:  # a share of the machine, or a variable
        return 0
