"""Files of variables for containers (`env_file`): those that lie in the repository are read, no others."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from bayplan.compose.dotenv import read_variables
from bayplan.compose.template import has_variable
from bayplan.finding import Place
from bayplan.policy.builds import root_of_files
from bayplan.policy.folder import policy_files
from bayplan.policy.values import word
from bayplan.source import Budget, Node, border_of, is_there, read_file, shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bayplan.model.fleet import Fleet
    from bayplan.model.names import Name

_NAME = re.compile(r"\s{0,80}(?:export\s{1,80})?([A-Za-z_][\w.-]{0,200})\s{0,80}[=:]\s{0,80}")


def read_env_files(policy: Path, fleet: Fleet) -> Mapping[Name, Mapping[str, Node]]:
    """Return service → what files set in its container, each value with its place; of two files the later one wins.

    Each file is read once, and all together hold no more lines than one reading handles. One that cannot be read is
    left out: it need not be here.

    Args:
        policy: a policy folder, or one policy file.
        fleet: its services.

    Raises:
        PolicyError: if there is no policy any more.
    """
    folder = policy_files(policy)[0].parent
    border, budget = border_of(folder), Budget()
    files: dict[str, Mapping[str, Node]] = {}
    found: dict[Name, Mapping[str, Node]] = {}
    for service in fleet.active():
        said = service.tree.get("env_file") if service.tree is not None else None
        paths = [word(one.get("path")) for one in said or () if one.is_map]
        variables: dict[str, Node] = {}
        for path in paths:
            whole = root_of_files(folder, fleet, service) / path
            name = os.path.normpath(whole)
            if name not in files:
                text, _ = read_file(whole, border=border) if path and is_there(whole) else (None, ())
                enough = text is not None and budget.take(text.count("\n"))
                files[name] = _variables(text, shown(whole)) if text is not None and enough else {}
            variables |= files[name]
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
