"""Files of variables for containers (`env_file`): those that lie in the repository are read, no others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bayplan.compose.dotenv import read_variables
from bayplan.compose.template import has_variable
from bayplan.finding import Place
from bayplan.policy.beside import Beside
from bayplan.policy.values import word
from bayplan.source import Node

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bayplan.model.fleet import Fleet
    from bayplan.model.names import Name

_NAME = re.compile(r"\s{0,80}(?:export\s{1,80})?([A-Za-z_][\w.-]{0,200})\s{0,80}[=:]\s{0,80}")


def read_env_files(policy: Path, fleet: Fleet) -> Mapping[Name, Mapping[str, Node]]:
    """Return service → what files set in its container, each value with its place; of two files the later one wins.

    Args:
        policy: a policy folder, or one policy file.
        fleet: its services.

    Raises:
        PolicyError: if there is no policy any more.
    """
    files = Beside(policy, _variables)
    found: dict[Name, Mapping[str, Node]] = {}
    for service in fleet.active():
        said = service.tree.get("env_file") if service.tree is not None else None
        variables: dict[str, Node] = {}
        for one in said or ():
            if path := word(one.get("path")):
                variables |= files.read(files.root(fleet, service) / path)
        if variables:
            found[service.name] = variables
    return found


def _variables(text: str, name: str) -> dict[str, Node]:
    """Return the variables of a file with their places; a value that another variable decides is nothing known."""
    values, _ = read_variables(text, name)
    where: dict[str, Place] = {}
    for number, line in enumerate(text.split("\n"), 1):
        said = _NAME.match(line)
        if said is not None and said[1] in values:
            where[said[1]] = Place(name, number, said.end() + 1)
    return {key: Node(value, where[key]) for key, value in values.items() if key in where and not has_variable(value)}
