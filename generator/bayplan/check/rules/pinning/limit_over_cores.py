"""Limits of CPU that the cores of a service can never give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.analyse.cores import OS, pinned, show_cores
from bayplan.check.coreset import said_of
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model.quantity import CPUS
from bayplan.model.units import show_cpus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.model.fleet import Node
    from bayplan.model.service import Service

RULE = Rule("pinning/limit-over-cores", Severity.WARNING)
_MILLI = 1000


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service whose limit is larger than the number of cores that it is confined to.

    Nothing is said where these cores are the wrong ones anyway: too few for what is asked of them, the system's, not
    there, or those of somebody who is to be kept away.
    """
    wrong = {one.name for pair in survey.pairs if pair.common for one in (pair.one, pair.other)}
    crowds = {name: [set(one.cores) for one in here.crowded()] for name, here in survey.shares.items()}
    for service in survey.services:
        limit = service.limits.get(CPUS)
        for name in survey.nodes_of.get(service.name, ()) if limit and service.name not in wrong else ():
            node = survey.fleet.nodes[name]
            cores = pinned(survey.fleet, service, node)
            if limit is None or limit.amount <= len(cores) * _MILLI or not _sound(node, cores):
                continue
            if not any(set(cores) <= crowd for crowd in crowds[name]):
                yield _finding(survey, service, node, cores)
                break


def _sound(node: Node, cores: tuple[int, ...]) -> bool:
    """Whether cores are named that a node has, and that are not the system's."""
    return bool(cores) and cores[-1] * _MILLI < node.has(CPUS) and not set(cores) & set(node.core_map.get(OS, ()))


def _finding(survey: Survey, service: Service, node: Node, cores: tuple[int, ...]) -> Finding:
    limit, said = service.limits[CPUS], said_of(survey, service)
    at_set = [node.core_places[name] for name, some in node.core_map.items() if some == cores]
    places = [said.place] if said is not None else []
    return RULE.finding(
        limit.place,
        service.name,
        f"is limited to {show_cpus(limit.amount)} CPU, but runs on {len(cores)} of {node.name} only",
        arithmetic=f"{show_cpus(limit.amount)} > {len(cores)} ({show_cores(cores)})",
        remedy="or more cores for it",
        paste=survey.paste_amount(survey.path_of(service, "limits"), CPUS, len(cores) * _MILLI),
        also=tuple(dict.fromkeys(one for one in (*places, *at_set) if one != limit.place)),
    )
