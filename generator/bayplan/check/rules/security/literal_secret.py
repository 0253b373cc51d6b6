"""Secrets that stand in a file for everybody to read."""

from __future__ import annotations

import re
from bisect import bisect
from itertools import accumulate
from typing import TYPE_CHECKING

from bayplan.check.compose_lines import line
from bayplan.check.rule import Rule
from bayplan.check.secrets import is_secret, options
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding, Place
    from bayplan.model.service import Service
    from bayplan.source import Node

RULE = Rule("security/literal-secret", Severity.WARNING)
_VARIABLES: tuple[tuple[str, ...], ...] = (
    ("environment",), ("build", "args"), ("build",), ("labels",), ("deploy", "labels"), ("logging", "options"),
)  # fmt: skip
_COMMANDS: tuple[tuple[str, ...], ...] = (("command",), ("entrypoint",), ("healthcheck", "test"))


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service with a secret in a variable, a label, a URL or on a command line.

    Also where it is only the default of a variable. No value is ever shown.
    """
    for service in survey.services:
        variables = [(path, key, node) for path in _VARIABLES for key, node in _variables(service, path)]
        found = [*((key, node.place) for _, key, node in variables), *_options(service)]
        if not found:
            continue
        names = ", ".join(dict.fromkeys(name for name, _ in found))
        yield RULE.finding(
            found[0][1],
            service.name,
            f"has a secret as plain text in {names}: it is in the history of the file, and docker inspect shows it",
            # No command is pasted (who knows what else it says), nor where to build from: that is needed to read on.
            paste=""
            if len(found) > len(variables) or any(path == ("build",) for path, _, _ in variables)
            else _from_outside(survey, service, variables),
            remedy="read it from .env or secrets:, and change it, since who has seen the file knows it",
            also=tuple(place for _, place in found[1:]),
        )


def _variables(service: Service, path: tuple[str, ...]) -> Iterator[tuple[str, Node]]:
    """Yield the variables at a path whose value is a secret that stands there."""
    variables = line(service, *path)
    for key, node in variables.items() if variables is not None else ():
        if not (node.is_map or node.is_list) and is_secret(key, node.string):
            yield key, node


def _options(service: Service) -> Iterator[tuple[str, Place]]:
    """Yield what commands say a secret with."""
    for path in _COMMANDS:
        said = line(service, *path)
        words = () if said is None else tuple(said) or (said,)
        starts = [0, *accumulate(len(one.string) + 1 for one in words)]
        for name, at in options(" ".join(one.string for one in words)):
            yield name, words[bisect(starts, at) - 1].place


def _from_outside(survey: Survey, service: Service, found: list[tuple[tuple[str, ...], str, Node]]) -> str:
    """Return a fragment that reads each from .env; empty where it would replace a list of the policy."""
    where = {path: survey.path_of(service, "compose", *path) for path, _, _ in found}
    if any(node.is_list for path in where.values() if (node := survey.said(path)) is not None):
        return ""
    return survey.paste_each(
        {(*where[path], key): f"${{{_name(service, key)}:?set it in .env}}" for path, key, _ in found}
    )


def _name(service: Service, key: str) -> str:
    """Return a name for a secret of a service alone: those of two services need not be the same."""
    own, name = (re.sub(r"\W", "_", text, flags=re.ASCII).upper() for text in (service.name.name, key))
    return name if name.startswith(f"{own}_") else f"S_{own}_{name}" if own[0].isdigit() else f"{own}_{name}"
