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
_HOOKS = ("pre_start", "post_start", "pre_stop")
_TUNED = ("tuning", "environment")


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service with a secret in a variable, a label, a URL or on a command line.

    Also where it is only the default of a variable. No value is ever shown.
    """
    for service in survey.services:
        variables = [(("compose", *path), *one) for path in _VARIABLES for one in _variables(line(service, *path))]
        variables += [(_TUNED, *one) for one in _tuned(survey, service)]
        found = [*((key, node.place) for _, key, node in variables), *_options(survey, service)]
        if not found:
            continue
        names = ", ".join(dict.fromkeys(name for name, _ in found))
        yield RULE.finding(
            found[0][1],
            service.name,
            f"has a secret as plain text in {names}: it is in the history of the file, and docker inspect shows it",
            # No command is pasted (who knows what else it says), nor where to build from: that is needed to read on.
            paste=""
            if len(found) > len(variables) or any(path[-1] == "build" for path, _, _ in variables)
            else _from_outside(survey, service, variables),
            remedy="read it from .env or secrets:, and change it, since who has seen the file knows it",
            also=tuple(place for _, place in found[1:]),
        )


def _variables(variables: Node | None) -> Iterator[tuple[str, Node]]:
    """Yield the variables of a map whose value is a secret that stands there."""
    for key, node in variables.items() if variables is not None else ():
        if not (node.is_map or node.is_list) and is_secret(key, node.string):
            yield key, node


def _tuned(survey: Survey, service: Service) -> Iterator[tuple[str, Node]]:
    """Yield the variables that the tuning of a service sets to a secret."""
    for key, value in service.tuning.environment.items() if service.tuning else ():
        node = survey.settings_of(service, *_TUNED, key)
        if node is not None and is_secret(key, value):
            yield key, node


def _options(survey: Survey, service: Service) -> Iterator[tuple[str, Place]]:
    """Yield what commands say a secret with."""
    hooks = (hook.get("command") for key in _HOOKS for hook in line(service, key) or ())
    lines = [*(line(service, *path) for path in _COMMANDS), *hooks, survey.settings_of(service, "tuning", "command")]
    for said in lines:
        if said is None:
            continue
        words = tuple(said) or (said,)
        starts = [0, *accumulate(len(one.string) + 1 for one in words)]
        for name, at in options(" ".join(one.string for one in words)):
            yield name, words[bisect(starts, at) - 1].place


def _from_outside(survey: Survey, service: Service, found: list[tuple[tuple[str, ...], str, Node]]) -> str:
    """Return a fragment that reads each from .env; empty where it would replace a list of the policy."""
    where = {path: survey.path_of(service, *path) for path, _, _ in found}
    if any(node.is_list for path in where.values() if (node := survey.said(path)) is not None):
        return ""
    return survey.paste_each(
        {(*where[path], key): f"${{{_name(service, key)}:?set it in .env}}" for path, key, _ in found}
    )


def _name(service: Service, key: str) -> str:
    """Return a name for a secret of a service alone: those of two services need not be the same."""
    own, name = (re.sub(r"\W", "_", text, flags=re.ASCII).upper() for text in (service.name.name, key))
    return name if name.startswith(f"{own}_") else f"S_{own}_{name}" if own[0].isdigit() else f"{own}_{name}"
