"""Cores that are kept for the system, and given to services all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.analyse.cores import OS, SHARED, cores_in, show_cores
from bayplan.check.coreset import Said, mapped, said_of
from bayplan.check.paste import RESET
from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.analyse.coregroups import Shares
    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.model.fleet import Node

RULE = Rule("pinning/reserved-cores", Severity.ERROR)
_MILLI = 1000


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each set, and each line of a service, that shares cores with the set `os` of its node."""
    for node in mapped(survey):
        kept = set(node.core_map.get(OS, ()))
        for name, some in node.core_map.items():
            if name != OS and kept & set(some):
                yield _of_set(survey, node, name, some)
    seen: set[Said] = set()
    for service in survey.services:
        said = said_of(survey, service)
        if said is None or said in seen:
            continue
        for name in survey.nodes_of.get(service.name, ()):
            node = survey.fleet.nodes[name]
            kept = set(node.core_map.get(OS, ()))
            asked = node.core_map.get(OS, ()) if said.word == OS else cores_in(said.word)
            if kept & set(asked):
                seen.add(said)
                yield _of_line(survey, node, said, asked)
                break


def _of_set(survey: Survey, node: Node, name: str, some: tuple[int, ...]) -> Finding:
    kept = node.core_map[OS]
    left = [core for core in some if core not in kept]
    here = survey.shares.get(node.name)
    left += here.free[: len(some) - len(left)] if here and left else ()
    path = survey.node_path(node.name, "core_map", name)
    return RULE.finding(
        node.core_places.get(name, node.place),
        ".".join(path),
        f"takes cores {show_cores(set(some) & set(kept))} of {node.name}, which are kept for the system (os)",
        arithmetic=f"{show_cores(some)} and {show_cores(kept)} (os) share {show_cores(set(some) & set(kept))}",
        remedy="" if left else "give it cores that are not in os, or make os smaller",
        paste=survey.paste(path, show_cores(left)) if left else "",
        also=(node.core_places.get(OS, node.place),),
    )


def _asked(here: Shares, some: tuple[int, ...]) -> int:
    """Return the thousandths of a CPU that those want who are confined to some cores."""
    group = here.pinned.get(some)
    return group.wanted if group else 0


def _of_line(survey: Survey, node: Node, said: Said, some: tuple[int, ...]) -> Finding:
    kept = node.core_map[OS]
    left = [core for core in some if core not in kept]
    nothing = RESET if said.compose else SHARED
    here = survey.shares.get(node.name)
    if here is not None and said.path[0] == "services" and (left or said.word == OS):
        # As many as before, or of the system's as many as are asked for, so that whoever runs there has room.
        wanted = len(some) if left else max(1, -(-_asked(here, some) // _MILLI))
        # Those of other sets are somebody's, too, as long as there are others.
        mapped = {core for cores in node.core_map.values() for core in cores}
        own = [core for core in left if core not in mapped]
        left = own if len(own) < len(left) and len(here.free) > len(own) else left
        left += [core for core in here.free if core not in left][: max(0, wanted - len(left))]
    return RULE.finding(
        said.place,
        said.subject,
        f"runs on cores {show_cores(set(some) & set(kept))} of {node.name}, which are kept for the system (os)",
        arithmetic=f"{show_cores(some)} and {show_cores(kept)} (os) share {show_cores(set(some) & set(kept))}",
        paste=survey.paste(said.path, show_cores(left) if left else nothing),
        also=(node.core_places.get(OS, node.place),),
    )
