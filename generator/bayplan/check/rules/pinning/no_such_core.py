"""Cores that a node does not have: Docker refuses to start a container on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.analyse.cores import SHARED, cores_in, show_cores
from bayplan.check.coreset import Said, mapped, said_of
from bayplan.check.paste import RESET
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model.quantity import CPUS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding, Place

RULE = Rule("pinning/no-such-core", Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each set, and each line of a service, that names cores above those of the node."""
    for node in mapped(survey):
        has = node.has(CPUS) // 1000
        for name, some in node.core_map.items():
            if has and some and some[-1] >= has:
                path = survey.node_path(node.name, "core_map", name)
                place = node.core_places.get(name, node.place)
                yield _finding(survey, place, ".".join(path), node.name, some, has, (path, ""))
    seen: set[Said] = set()
    for service in survey.services:
        said = said_of(survey, service)
        some = cores_in(said.word) if said else ()
        if said is None or said in seen or not some:
            continue
        for name in survey.nodes_of.get(service.name, ()):
            node = survey.fleet.nodes[name]
            has = node.has(CPUS) // 1000
            if has and some[-1] >= has and said.word not in node.core_map:
                seen.add(said)
                yield _finding(
                    survey, said.place, said.subject, name, some, has, (said.path, RESET if said.compose else SHARED)
                )
                break


def _finding(
    survey: Survey,
    place: Place,
    subject: str,
    node: str,
    some: tuple[int, ...],
    has: int,
    instead: tuple[tuple[str, ...], str],
) -> Finding:
    path, nothing = instead
    there = [core for core in some if core < has]
    here = survey.shares.get(node) if path[0] not in ("pools", "tiers") else None
    free = [core for core in here.free if core not in there] if here else []
    # As many as before, so that whoever runs there has room: others of the node for those that it does not have, but
    # one, which those in no set need.
    cores = [*there, *(free[:-1] or free)[: len(some) - len(there)]]
    value = show_cores(cores) if cores else nothing
    return RULE.finding(
        place,
        subject,
        f"names core {some[-1]}, but the cores of {node} are 0 to {has - 1}",
        arithmetic=f"{some[-1]} > {has} - 1",
        remedy="" if value else f"name cores up to {has - 1}, or take the set away",
        paste=survey.paste(path, value) if value else "",
    )
