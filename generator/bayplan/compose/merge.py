"""Compose's rules for several files: maps merge, lists grow, words replace, and the exceptions by name.

Everything is merged in its long form, where most exceptions vanish: an environment is a map, whatever it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bayplan.compose import mounts, ports
from bayplan.compose.canonical import canonical_service, long_document
from bayplan.compose.forms import OVERRIDE, RESET, unique, word
from bayplan.source import Node, every, plain

_REPLACE = "replace"
_APPEND = "append"
Identity = Callable[[Node], str]


@dataclass(frozen=True, slots=True)
class _Merge:
    """The rule for lists whose items of one identity merge, rather than that the later one wins."""

    identity: Identity


def merge_service(base: Node, over: Node) -> Node:
    """Return `base` with `over` laid on it, by Compose's rules and with its tags `!override` and `!reset`.

    Args:
        base: a service in any form; variables in its `ports` and `volumes` are already filled in.
        over: what is laid on it, likewise.

    Returns:
        The service in its canonical form.
    """
    return settled(merge_long(canonical_service(base)[0], canonical_service(over)[0], SERVICE))


def merge_files(base: Node, over: Node) -> Node:
    """Return one Compose document with another laid on it, in long form; `version` and `x-` keys as any other."""
    return settled(merge_long(long_document(base, []), long_document(over, []), DOCUMENT))


def merge_long(base: Node, over: Node, rules: Any = None) -> Node:
    """Return one tree in long form with another laid on it.

    Args:
        base: the tree below.
        over: the tree on top; the place of a value is where the winner stands.
        rules: key → rules of its value: a map, `replace`, `append`, or the identity of list items.
    """
    if over.tag == OVERRIDE or rules == _REPLACE:
        return over
    if base.is_map and over.is_map:
        return _maps(base, over, rules)
    if base.is_list and over.is_list:
        return over.with_value(_items(base, over, rules))
    return base if over.value is None and (base.is_map or base.is_list) else over


def _items(base: Node, over: Node, rules: Any) -> tuple[Node, ...]:
    if rules == _APPEND:
        known = {_itself(item) for item in base}
        return (*base.value, *(item for item in over if _itself(item) not in known))
    if isinstance(rules, _Merge):
        found = {rules.identity(item): item for item in base}
        for item in over:
            name = rules.identity(item)
            found[name] = merge_long(found[name], item) if name in found else item
        return tuple(found.values())
    return unique((*base.value, *over.value), rules if callable(rules) else _itself)


def _maps(base: Node, over: Node, rules: Any) -> Node:
    table: Mapping[str, Any] = rules(base, over) if callable(rules) else rules or {}
    merged = dict(base.value)
    for key, child in over.items():
        if child.tag == RESET:
            merged.pop(key, None)
        elif key in merged:
            merged[key] = merge_long(merged[key], child, table.get(key, table.get("*")))
        else:
            merged[key] = child
    return base.with_value(merged)


def settled(node: Node) -> Node:
    """Return a tree without tags: what `!reset` takes back is gone, `!override` has had its effect."""
    return _settled(node) if any(one.tag for one in every(node)) else node


def _settled(node: Node) -> Node:
    value = node.value
    if isinstance(value, dict):
        kept = {key: _settled(child) for key, child in value.items() if child.tag != RESET}
        return Node(kept, node.place, node.key)
    if isinstance(value, tuple):
        items = tuple(_settled(child) for child in value if child.tag != RESET)
        return Node(items, node.place, node.key)
    return node if node.tag not in {RESET, OVERRIDE} else Node(node.value, node.place, node.key, text=node.text)


def _itself(node: Node) -> str:
    return repr(plain(node))


def _by(key: str, default: str = "") -> Identity:
    """Return the identity of a list item: one of its keys, else its source (below a folder)."""

    def identity(node: Node) -> str:
        found, source = node.get(key), node.get("source")
        return word(found) if found is not None else default + (word(source) if source is not None else "")

    return identity


def _logging(base: Node, over: Node) -> Mapping[str, Any]:
    """Options of one driver mean nothing to another."""
    old, new = base.get("driver"), over.get("driver")
    differ = old is not None and new is not None and word(old) != word(new)
    return {"options": _REPLACE} if differ else {}


_DEPLOY: Mapping[str, Any] = {"resources": {"reservations": {"devices": _APPEND}}}
SERVICE: Mapping[str, Any] = {
    "build": {"secrets": _by("target"), "ulimits": {"*": _REPLACE}},
    "command": _REPLACE,
    "configs": _by("target", "/"),
    "deploy": _DEPLOY,
    "devices": _by("target"),
    "entrypoint": _REPLACE,
    "env_file": _by("path"),
    "gpus": _APPEND,
    "healthcheck": {"test": _REPLACE},
    "logging": _logging,
    "ports": ports.identity,
    "secrets": _by("target", "/run/secrets/"),
    "ulimits": {"*": _REPLACE},
    "volumes": mounts.identity,
}
"""How the values of a service merge where the general rule does not hold."""


def _subnet(node: Node) -> str:
    found = node.get("subnet")
    return word(found) if found is not None else _itself(node)


DOCUMENT: Mapping[str, Any] = {
    "services": {"*": SERVICE},
    "networks": {"*": {"ipam": {"config": _Merge(_subnet)}}},
}
"""How the sections of a Compose file merge."""
