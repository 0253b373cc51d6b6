"""A setting that environments say differently, under one limit: it follows nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.mending import in_policy
from bayplan.check.rule import Rule
from bayplan.check.secrets import hidden
from bayplan.finding import Severity
from bayplan.tuning.following import tunings
from bayplan.tuning.settings import Setting
from bayplan.tuning.unread import is_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.source import Node
    from bayplan.tuning.settings import Application

RULE = Rule("tuning/two-environments", Severity.NOTE)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a note for each service whose memory is set in this environment and otherwise in another, of one size."""
    environments = survey.at("environments")
    sections = {name: one.get("services") for name, one in (environments.items() if environments else ())}
    mine = sections.pop(survey.environment, None)
    for known in survey.applications if mine is not None else ():
        here = _said(mine, known)
        if here is None or known.service.tuning is not None:
            continue
        for name, section in sorted(sections.items()):
            both = _differing(known, here, _said(section, known))
            if both is not None:
                yield _finding(survey, known, name, *both)
                break


def _said(section: Node | None, known: Application) -> Node | None:
    name = known.service.name
    return (section.get(str(name)) or section.get(name.name)) if section is not None else None


def _differing(known: Application, here: Node, there: Node | None) -> tuple[str, Node, Node] | None:
    """Return the first variable of memory that is said differently, with both values; None if sizes differ as well."""
    if there is None or _word(here, "limits", "memory") != _word(there, "limits", "memory"):
        return None
    said = _below(here, "compose", "environment")
    for variable, value in said.items() if said is not None else ():
        other = _below(there, "compose", "environment", variable)
        if other is not None and other.string != value.string and is_memory(known, variable):
            return variable, value, other
    return None


def _finding(survey: Survey, known: Application, name: str, variable: str, here: Node, there: Node) -> Finding:
    service = known.service
    nothing = Setting("", "", 0, "", service.place)
    recipe = next((one for one in tunings(known, nothing)), None)
    limit = service.limits.get("memory")
    mine, other = hidden(here.string), hidden(there.string)
    return RULE.finding(
        here.place,
        service.name,
        f"sets {variable} to {mine} here and to {other} in environment {name}, both under one limit",
        arithmetic=f"{mine} and {other}",
        remedy="" if recipe and limit else "say it once, below services",
        paste=survey.paste(survey.path_of(service, "tuning"), in_policy(recipe)) if recipe and limit else "",
        also=(there.place,),
    )


def _word(node: Node, *path: str) -> str:
    found = _below(node, *path)
    return found.string if found is not None else ""


def _below(node: Node | None, *path: str) -> Node | None:
    for key in path:
        node = node.get(key) if node is not None else None
    return node
