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
    from collections.abc import Iterator
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
    document = Node({}, Place(path.name))
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
        document, clashes = _merge(document, node)
        findings.extend(clashes)
    return document, tuple(findings)


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


def _merge(document: Node, addition: Node) -> tuple[Node, list[Finding]]:
    merged = dict(document.value)
    findings: list[Finding] = []
    for key, section in addition.items():
        known = merged.get(key)
        if known is None or known.value is None:
            merged[key] = section
        elif section.value is None:
            continue  # a heading with nothing below it
        elif key in NAMED and known.is_map and section.is_map:
            merged[key], clashes = _merge_names(key, known, section)
            findings.extend(clashes)
        elif known.is_map and section.is_map:
            merged[key], clashes = _merge_maps(key, known, section)
            findings.extend(clashes)
        else:
            what = "a list" if known.is_list or section.is_list else "a value"
            findings.append(_twice(key, known, section, f"{what} stands in one file only"))
    return document.with_value(merged), findings


def _merge_names(path: str, known: Node, section: Node) -> tuple[Node, list[Finding]]:
    merged = dict(known.value)
    findings = []
    for name, thing in section.items():
        if name in merged:
            findings.append(_twice(f"{path}.{name}", merged[name], thing, "a name is defined once"))
        else:
            merged[name] = thing
    return known.with_value(merged), findings


def _merge_maps(path: str, known: Node, section: Node) -> tuple[Node, list[Finding]]:
    merged = dict(known.value)
    findings: list[Finding] = []
    for key, value in section.items():
        old = merged.get(key)
        if old is None:
            merged[key] = value
        elif old.is_map and value.is_map:
            merged[key], clashes = _merge_maps(f"{path}.{key}", old, value)
            findings.extend(clashes)
        else:
            findings.append(_twice(f"{path}.{key}", old, value, "a value stands in one file only"))
    return known.with_value(merged), findings


def _twice(path: str, first: Node, second: Node, rule: str) -> Finding:
    message = f"is defined twice, first at {first.here}; {rule}"
    return error("policy/defined-twice", second.here, path, message, "keep one of the two", also=(first.here,))
