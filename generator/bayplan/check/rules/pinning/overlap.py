"""Sets of cores of one node that share cores: neither is anybody's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.analyse.cores import OS, show_cores
from bayplan.check.coreset import mapped
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model.quantity import CPUS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.model.fleet import Node

RULE = Rule("pinning/overlap", Severity.WARNING)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each set that shares cores with one that is written before it."""
    for node in mapped(survey):
        owners: dict[int, list[str]] = {}
        for name, some in sorted(node.core_map.items(), key=lambda pair: node.core_places.get(pair[0], node.place)):
            shared: dict[str, list[int]] = {}
            for core in some if name != OS else ():
                for other in owners.setdefault(core, []):
                    shared.setdefault(other, []).append(core)
                owners[core].append(name)
            if shared:
                yield _finding(survey, node, name, shared)


def _finding(survey: Survey, node: Node, name: str, shared: dict[str, list[int]]) -> Finding:
    some = node.core_map[name]
    path = survey.node_path(node.name, "core_map")
    listed = " and ".join(f"{show_cores(cores)} with {other}" for other, cores in shared.items())
    sets = _parted(survey, node, name, shared)
    return RULE.finding(
        node.core_places.get(name, node.place),
        ".".join((*path, name)),
        f"is not a set of its own on {node.name}: it shares {listed}",
        arithmetic="; ".join(
            f"{show_cores(some)} and {show_cores(node.core_map[other])} ({other}) share {show_cores(cores)}"
            for other, cores in shared.items()
        ),
        remedy="" if sets else "name cores that are in no other set, or use one set for both",
        paste=survey.paste(path, sets) if sets else "",
        also=tuple(node.core_places.get(other, node.place) for other in shared),
    )


def _parted(survey: Survey, node: Node, name: str, shared: dict[str, list[int]]) -> dict[str, str]:
    """Return sets that share nothing and hold who stands on them: this one changed, else the others; empty if none do.

    This one keeps what nobody else has, and gets free cores for the rest.
    """
    some, others = node.core_map[name], {core for cores in shared.values() for core in cores}
    taken = {core for cores in node.core_map.values() for core in cores}
    free = [core for core in range(node.has(CPUS) // 1000) if core not in taken]
    left = [core for core in some if core not in others]
    mine = {name: [*left, *free[: len(some) - len(left)]]}
    theirs = {other: [core for core in node.core_map[other] if core not in some] for other in shared}
    for sets in (mine, theirs):
        if all(cores and len(cores) * 1000 >= _asked(survey, node, node.core_map[one]) for one, cores in sets.items()):
            return {one: show_cores(cores) for one, cores in sets.items()}
    return {}


def _asked(survey: Survey, node: Node, some: tuple[int, ...]) -> int:
    """Return the thousandths of a CPU that those ask for who are confined to a set."""
    here = survey.shares.get(node.name)
    group = here.pinned.get(some) if here else None
    return group.asked if group else 0
