"""A policy folder, read and merged into one document.

Maps merge over files; a name defined twice is an error that shows both places; a list stands in one file only.
So the order of files, and of keys, never decides anything.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bayplan.errors import PolicyError
from bayplan.finding import Finding, Place, error
from bayplan.source import Budget, Node, border_of, read_yaml, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

NAMED = frozenset(
    {
        "nodes", "shapes", "sources", "services", "tiers", "pools", "volumes", "networks", "secrets",
        "environments", "alerts", "metrics", "forecasts", "edges",
    }
)  # fmt: skip
"""Sections that map names to things: the names may be spread over files, each thing stands in one."""


_COMPOSE = re.compile(r"(docker-)?compose([-._].*)?\.ya?ml")
"""What Compose files are called; one beside the policy is a source, not a part of it."""


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def read_folder(path: Path) -> tuple[Node, tuple[Finding, ...]]:
    """Read the policy at `path`: all `*.yml` and `*.yaml` directly in the folder but Compose files, or one file.

    Raises:
        PolicyError: if there is nothing to read.
    """
    files = policy_files(path)
    border = border_of(path) if files != (path,) else None  # a file that is named by itself may lie anywhere
    parts: list[Node] = []
    findings: list[Finding] = []
    budget = Budget()
    for file in files:
        node, found = read_yaml(file, shown(file), border)
        findings.extend(found)
        if node is None:
            continue
        if not budget.covers(node):
            findings.append(budget.refusal(node.place, node.place.file))
            break
        if not node.is_map:
            message, remedy = "a policy file is a map of sections", "start it with a section, such as nodes:"
            findings.append(error("source/not-a-map", node.place, node.place.file, message, remedy))
            continue
        parts.append(node)
    document = Node({}, Place(path.name))
    sections = {key: _joined(key, some, findings, top=True) for key, some in _by_key(parts).items()}
    return document.with_value(sections), tuple(findings)


def policy_files(path: Path) -> tuple[Path, ...]:
    """Return the files of the policy at `path`, sorted.

    Raises:
        PolicyError: if the path does not exist or holds no policy file.
    """
    try:
        if path.is_file():
            return (path,)
        if not path.is_dir():
            msg = f"{path} does not exist; a policy is a folder of .yml files (bayplan import makes one)"
            raise PolicyError(msg)
        files = tuple(sorted(file for file in path.iterdir() if _is_part(file)))
    except OSError as fault:
        msg = f"{path} cannot be read: {fault.strerror}; a policy is a folder of .yml files"
        raise PolicyError(msg) from fault
    if not files:
        msg = f"{path} holds no .yml file; eleven lines are enough, see policies/home-lab, or use bayplan import"
        raise PolicyError(msg)
    return files


def misnamed(folder: Path, name: str) -> Iterator[Finding]:
    """Yield a finding if the folder's name cannot be the fleet's: it becomes part of paths, units and commands."""
    if not _NAME.fullmatch(name):
        message = "cannot be the name of a fleet: it holds more than letters, digits, '-', '_' and '.', or is too long"
        yield error("policy/name", Place(shown(folder)), name, message, "rename the folder of the policy, such as shop")


def _is_part(file: Path) -> bool:
    """Whether an entry of the folder belongs to the policy: also what cannot be read, so that it is not passed over.

    What editors leave is hidden, and need not be a file: `.#policy.yml` is a link to nowhere.
    """
    if file.suffix not in {".yml", ".yaml"} or _COMPOSE.fullmatch(file.name):
        return False
    return not file.name.startswith(".") or file.is_file()


def _by_key(maps: Iterable[Node]) -> dict[str, list[Node]]:
    """Return key → what the maps say under it, in their order."""
    found: dict[str, list[Node]] = {}
    for one in maps:
        for key, value in one.items():
            found.setdefault(key, []).append(value)
    return found


def _joined(path: str, parts: list[Node], findings: list[Finding], *, top: bool = False) -> Node:
    """Return what several files say under one key as one value, and name what they say twice.

    Args:
        path: the key, with those above it.
        parts: what they say, in the order of the files.
        findings: takes what is said twice.
        top: whether it is a section of the policy.
    """
    said = [part for part in parts if part.value is not None] if top else parts  # a heading with nothing below it
    first, *others = said or parts[-1:]
    maps = [first]
    for other in others:
        if first.is_map and other.is_map:
            maps.append(other)
        elif top:
            what = "a list" if first.is_list or other.is_list else "a value"
            findings.append(_twice(path, first, other, f"{what} stands in one file only"))
        else:
            findings.append(_twice(path, first, other, "a value stands in one file only"))
    if len(maps) == 1:
        return first
    named = top and path in NAMED
    return first.with_value(
        {
            key: _named(f"{path}.{key}", some, findings) if named else _joined(f"{path}.{key}", some, findings)
            for key, some in _by_key(maps).items()
        }
    )


def _named(path: str, things: list[Node], findings: list[Finding]) -> Node:
    """Return the first thing of a name: there may be no other."""
    first, *others = things
    findings.extend(_twice(path, first, other, "a name is defined once") for other in others)
    return first


def _twice(path: str, first: Node, second: Node, rule: str) -> Finding:
    message = f"is defined twice, first at {first.here}; {rule}"
    return error("policy/defined-twice", second.here, path, message, "keep one of the two", also=(first.here,))
