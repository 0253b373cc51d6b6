"""A set of cores that a node does not have on which somebody asks for it."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from bayplan.analyse.cores import OS, SHARED, looks_like_cores
from bayplan.check.coreset import Said, said_of
from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("pinning/unknown-set", Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each line that names a set of cores which a node of its services does not have."""
    somewhere = {name for node in survey.fleet.nodes.values() for name in node.core_map}
    lacking: dict[Said, set[str]] = {}
    for service in survey.services:
        said = said_of(survey, service)
        if said is None or said.compose or looks_like_cores(said.word):
            continue
        nodes = survey.nodes_of.get(service.name, () if said.word in somewhere else sorted(survey.fleet.nodes))
        without = {name for name in nodes if said.word not in survey.fleet.nodes[name].core_map}
        if without:
            lacking.setdefault(said, set()).update(without)
    for said, without in lacking.items():
        first = survey.fleet.nodes[min(without)]
        sets = sorted(set(first.core_map) - {OS})
        near = get_close_matches(said.word, sets, n=1) or (
            sets if len(sets) == 1 and said.word not in somewhere else []
        )
        yield RULE.finding(
            said.place,
            said.subject,
            f"asks for the cores {said.word}, which {_listed(without)} not have{_instead(sets, near)}",
            arithmetic=f"{first.name} has {', '.join(sets) or 'no set'}",
            remedy="or name such a set in core_map",
            paste=survey.paste(said.path, near[0] if near else SHARED),
            also=(first.core_places[near[0]] if near else first.place,),
        )


def _listed(nodes: set[str]) -> str:
    names = sorted(nodes)
    return f"{names[0]} does" if len(names) == 1 else f"{', '.join(names[:3])} do"


def _instead(sets: list[str], near: list[str]) -> str:
    if near:
        return f"; did you mean {near[0]}"
    return "" if sets else ": it names no sets"
