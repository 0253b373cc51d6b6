"""Secrets that stand in a file for everybody to read."""

from __future__ import annotations

import re
from bisect import bisect
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from bayplan.check.compose_lines import line, listed
from bayplan.check.rule import Rule
from bayplan.check.secrets import is_secret, options
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding, Place
    from bayplan.model.names import Name
    from bayplan.model.service import Service
    from bayplan.source import Node

RULE = Rule("security/literal-secret", Severity.WARNING)
_VARIABLES: tuple[tuple[str, ...], ...] = (
    ("environment",), ("build", "args"), ("build",), ("labels",), ("deploy", "labels"), ("logging", "options"),
)  # fmt: skip
_COMMANDS: tuple[tuple[str, ...], ...] = (("command",), ("entrypoint",), ("healthcheck", "test"))
_HOOKS = ("pre_start", "post_start", "pre_stop")
_TUNED = ("tuning", "environment")


@dataclass(frozen=True, slots=True)
class _Secret:
    """A secret of a service: what says it, where, and below what, if it is the value of a variable."""

    service: Service
    name: str
    place: Place
    path: tuple[str, ...] | None


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service with a secret in a variable, a label, a URL or on a command line.

    Also where it is only the default of a variable. What an anchor says for several services is said once. No value is
    ever shown.
    """
    for some in _by_services([one for service in survey.services for one in _secrets(survey, service)]):
        services = list({one.service.name: one.service for one in some}.values())
        names = ", ".join(dict.fromkeys(one.name for one in some))
        count = f", as {len(services) - 1} more by the same lines" if len(services) > 1 else ""
        first, *others = dict.fromkeys(one.place for one in some)
        seen = "it is in the history of the file, and docker inspect shows it"
        yield RULE.finding(
            first,
            services[0].name,
            f"has a secret as plain text in {names}{count}: {seen}",
            arithmetic=listed((one, one.place) for one in services) if count else "",
            paste=_from_outside(survey, some),
            remedy="read it from .env or secrets:, and change it, since who has seen the file knows it",
            also=tuple(others),
        )


def _by_services(secrets: list[_Secret]) -> Iterable[list[_Secret]]:
    """Return the secrets in groups, each of those whose lines speak of the same services."""
    speakers: dict[Place, dict[Name, None]] = {}
    for one in secrets:
        speakers.setdefault(one.place, {})[one.service.name] = None
    groups: dict[tuple[Name, ...], list[_Secret]] = {}
    for one in secrets:
        groups.setdefault(tuple(speakers[one.place]), []).append(one)
    return groups.values()


def _secrets(survey: Survey, service: Service) -> Iterator[_Secret]:
    for path in _VARIABLES:
        for key, node in _variables(line(service, *path)):
            yield _Secret(service, key, node.place, ("compose", *path))
    for key, node in _tuned(survey, service):
        yield _Secret(service, key, node.place, _TUNED)
    for name, place in _options(survey, service):
        yield _Secret(service, name, place, None)


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


def _from_outside(survey: Survey, secrets: list[_Secret]) -> str:
    """Return a fragment that reads each from .env; empty where it would replace a list of the policy.

    No command is pasted (who knows what else it says), nor where to build from: that is needed to read on.
    """
    fragment: dict[tuple[str, ...], str] = {}
    for one in secrets:
        if one.path is None or one.path[-1] == "build":
            return ""
        where = survey.path_of(one.service, *one.path)
        if (said := survey.said(where)) is not None and said.is_list:
            return ""
        fragment[(*where, one.name)] = f"${{{_name(secrets[0].service, one.name)}:?set it in .env}}"
    return survey.paste_each(fragment)


def _name(service: Service, key: str) -> str:
    """Return a name for a secret of a service alone: those of two services need not be the same."""
    own, name = (re.sub(r"\W", "_", text, flags=re.ASCII).upper() for text in (service.name.name, key))
    return name if name.startswith(f"{own}_") else f"S_{own}_{name}" if own[0].isdigit() else f"{own}_{name}"
