"""Policies as trees into which a contradiction is planted: written down again so that every value has a line of its own."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayplan import checkup, pipeline
from bayplan.finding import Finding, Place
from bayplan.policy.folder import read_folder
from bayplan.source import Node
from bayplan.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bayplan.policy.fleet import Policy

ROOT = Path(__file__).parents[2]
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
Where = tuple[str | int, ...]
More = tuple[tuple[Where, Any], ...]


@dataclass(frozen=True)
class Written:
    """A policy as text: its lines, and the line of each value by its path."""

    text: str
    lines: Mapping[Where, int]


@dataclass(frozen=True)
class Patch:
    """What is planted: a value at a path of the policy, and the rule that has to find it there.

    Attributes:
        rule: its id.
        path: where it stands; maps on the way are made, and what stands there is replaced.
        value: plain data.
        more: harmless values elsewhere that it needs to be a contradiction; what is found with them alone is known.
        guests: whether it is planted beside guests.
    """

    rule: str
    path: Where
    value: Any
    more: More = ()
    guests: bool = False


def document(folder: Path) -> Node:
    """Return the merged tree of a policy folder."""
    tree, found = read_folder(folder)
    assert not [one for one in found if one.is_error]
    return tree


def as_node(value: Any) -> Node:
    """Return plain data as a tree without places."""
    place = Place("planted")
    if isinstance(value, Node):
        return value
    if isinstance(value, dict):
        return Node({str(key): as_node(one) for key, one in value.items()}, place)
    if isinstance(value, list | tuple):
        return Node(tuple(as_node(one) for one in value), place)
    return Node(value, place)


def planted(tree: Node, path: Where, value: Any) -> Node:
    """Return a tree with a value at a path; a number in it is a place in a list, its length appends."""
    if not path:
        return as_node(value)
    key, *rest = path
    if isinstance(key, int):
        items = list(tree.value) if tree.is_list else []
        items[key : key + 1] = [planted(items[key] if key < len(items) else as_node(None), tuple(rest), value)]
        return tree.with_value(tuple(items))
    pairs = dict(tree.value) if tree.is_map else {}
    pairs[key] = planted(pairs.get(key, as_node(None)), tuple(rest), value)
    return tree.with_value(pairs)


def written(tree: Node) -> Written:
    """Return a tree as YAML with a line for every value, and which line that is."""
    lines: list[str] = []
    where: dict[Where, int] = {}

    def write(node: Node, path: Where, head: str, indent: int) -> None:
        where[path] = len(lines) + 1
        if node.is_map and node.value:
            if head:
                lines.append(head + (f" {node.tag}" if node.tag else ""))
            for key, child in node.items():
                write(child, (*path, key), f"{'  ' * indent}{quoted(key)}:", indent + 1)
        elif node.is_list and any(one.is_map for one in node):
            lines.append(head)
            for number, child in enumerate(node):
                where[*path, number] = len(lines) + 1
                lines.append(f"{'  ' * indent}- {flow(child)}")
        else:
            lines.append(f"{head} {flow(node)}")

    write(tree, (), "", 0)
    return Written("\n".join(lines) + "\n", where)


def quoted(key: str) -> str:
    """Return a key, quoted where it is no plain word."""
    return key if WORD.fullmatch(key) else json.dumps(key)


def flow(node: Node) -> str:
    """Return a tree on one line, tags and plain words as they were."""
    tag = f"{node.tag} " if node.tag else ""
    if node.is_map:
        return f"{tag}{{{', '.join(f'{json.dumps(key)}: {flow(child)}' for key, child in node.items())}}}"
    if node.is_list:
        return f"{tag}[{', '.join(flow(child) for child in node)}]"
    return tag + (json.dumps(node.value) if isinstance(node.value, str) else node.text or json.dumps(node.value))


@dataclass(frozen=True)
class Ground:
    """A policy to plant into: where its other files are, its environment, and what is found in it as it is."""

    name: str
    folder: Path
    environment: str | None
    compiled: Path
    tree: Node
    policy: Policy
    known: frozenset[str]
    about: frozenset[tuple[str, str]] = frozenset()
    """Rule and subject of what is found in it as it is: such a finding may count one more, and say so."""
    grown: dict[str, Ground] = field(default_factory=dict)
    """What harmless values were put into it before, and how it then is."""

    def checked(self, folder: Path, text: str) -> tuple[Policy, tuple[Finding, ...]]:
        """Return a policy of this text beside the other files, with all findings about it."""
        for old in folder.glob("*.yml"):
            old.unlink()
        (folder / "policy.yml").write_text(text, encoding="utf-8")
        with contextlib.chdir(folder):
            space = Workspace(Path(), ROOT / "inventory" / self.name, self.compiled, ROOT / "nowhere")
            policy = pipeline.read(space, self.environment)
            if any(one.is_error for one in policy.findings):
                return policy, policy.findings
            return policy, checkup.check(space, policy)


def told(finding: Finding) -> str:
    """Return what a finding says, whatever line it stands at."""
    return f"{finding.rule} {finding.subject}: {finding.message} {finding.arithmetic}"


def new(ground: Ground, findings: tuple[Finding, ...]) -> Iterator[Finding]:
    """Yield what is not said of the policy as it is."""
    yield from (one for one in findings if told(one) not in ground.known)


def prepared(
    name: str, folder: Path, environment: str | None, target: Path, files: Mapping[str, str] | None = None
) -> Ground:
    """Return a policy of the repository, written down anew in a folder beside more files, with what is found in it."""
    if not target.exists():
        shutil.copytree(folder, target)
    for path, text in (files or {}).items():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_text(text, encoding="utf-8")
    compiled = ROOT / "compiled" / name
    bare = Ground(name, target, environment, compiled, document(folder), None, frozenset())  # type: ignore[arg-type] - filled below
    return grounded(bare)


def beside(ground: Ground, more: More) -> Ground:
    """Return a policy with harmless values in it, and what is then found: nothing that stops a plan."""
    if not more:
        return ground
    if repr(more) not in ground.grown:
        ground.grown[repr(more)] = grounded(replace(ground, tree=with_all(ground.tree, more), grown={}))
    return ground.grown[repr(more)]


def with_all(tree: Node, more: More) -> Node:
    """Return a tree with several values."""
    for path, value in more:
        tree = planted(tree, path, value)
    return tree


def grounded(ground: Ground) -> Ground:
    """Return a policy with what is found in it: its claims about the whole fleet may count guests, and be wrong."""
    policy, found = ground.checked(ground.folder, written(ground.tree).text)
    errors = [f"{one.place} {told(one)}" for one in found if one.is_error and one.rule != "claims/wrong"]
    assert not errors, errors
    about = frozenset((one.rule, one.subject) for one in found)
    return replace(ground, policy=policy, known=frozenset(told(one) for one in found), about=about)
