"""Files in memory that may become larger than the limit of their container."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bayplan.check.compose_lines import instead, line
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
_SHM, _TMPFS = "shm_size", "tmpfs"


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service whose shared memory and tmpfs may together take its limit, or more."""
    for service in survey.services:
        limit = service.limits.get(MEMORY)
        held = sorted(_held(service), key=lambda one: -one.amount)
        total = sum(one.amount for one in held)
        if limit is None or not held or total < limit.amount:
            continue
        sums = " + ".join(f"{show_bytes(one.amount)} ({one.what})" for one in held)
        yield RULE.finding(
            held[0].place,
            service.name,
            f"may keep {show_bytes(total)} in files in memory, which count as its own, in a limit of "
            f"{show_bytes(limit.amount)}: it is killed before they are full",
            arithmetic=f"{sums} >= {show_bytes(limit.amount)}",
            remedy=f"or a limit of {show_bytes(total * 4 // 3)}",
            paste=_smaller(survey, service, held, limit.amount // 2 // len(held))
            or larger_limit(survey, service, total * 4 // 3),
            also=(*(one.place for one in held[1:]), limit.place),
        )


@dataclass(frozen=True, slots=True)
class _Files:
    """What a service may keep in memory as files: where, how many bytes, under which Compose key, and its place."""

    what: str
    amount: int
    key: str
    place: Place


def _held(service: Service) -> Iterator[_Files]:
    said = [(_SHM, _SHM, line(service, _SHM))]
    for mount in line(service, "volumes") or ():
        tmpfs = mount.get("tmpfs")
        said.append((word(mount.get("target")), "volumes", tmpfs.get("size") if tmpfs is not None else None))
    for what, key, node in said:
        amount = _bytes(node.text or word(node)) if node is not None else 0
        if amount and node is not None:
            yield _Files(what, amount, key, node.place)
    for mount in line(service, _TMPFS) or ():
        found = _SIZE.search(mount.string)
        amount = _bytes(found[1]) if found else 0
        if amount:
            yield _Files(mount.string.partition(":")[0], amount, _TMPFS, mount.place)


def _bytes(text: str) -> int:
    try:
        return units.docker_memory(text)
    except units.UnitError:  # a share of the machine, or a variable
        return 0


def _smaller(survey: Survey, service: Service, held: list[_Files], most: int) -> str:
    """Return a fragment with which each has so many bytes at most; empty where a list of the policy is in the way."""
    listed = survey.said(survey.path_of(service, "compose", "volumes")) is not None
    if listed and any(one.key == "volumes" for one in held):
        return ""
    size = f"{max(1, most // MIB)}m"
    large = {one.what for one in held if one.amount > most}
    compose: dict[str, Any] = {_SHM: size} if _SHM in large else {}
    if any(one.key == _TMPFS for one in held if one.what in large):
        lines = (mount.string for mount in line(service, _TMPFS) or ())
        compose[_TMPFS] = instead(
            _SIZE.sub(lambda found: found[0].replace(found[1], size), one) if one.partition(":")[0] in large else one
            for one in lines
        )
    mounts = [one.what for one in held if one.key == "volumes" and one.what in large]
    if mounts:
        compose["volumes"] = [{"type": "tmpfs", "target": one, "tmpfs": {"size": most // MIB * MIB}} for one in mounts]
    return survey.paste(survey.path_of(service, "compose"), compose)
