"""YAML text to `Node` trees, with YAML 1.2 types, and every fault as a finding at its place.

The tree is built from the parser's events rather than with a PyYAML constructor: constructors follow YAML 1.1
(`on` is true, `012` is ten), keep the last of two equal keys, and forget where a value stood.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import yaml

from bayplan.finding import Finding, Place, error
from bayplan.source.file import read_file
from bayplan.source.node import Node, Scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from bayplan.source.file import Border

MAX_DEPTH = 64
MAX_NODES = 400_000
"""Bounds for hostile input: nesting, and values after aliases are expanded."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MERGE = "<<"
_NO_WORD = ("", _MERGE)
_NULL = re.compile(r"~|null|Null|NULL|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
# 012 stays text: YAML 1.1 reads it as ten, YAML 1.2 as twelve, and whoever wrote it meant neither.
_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_RADIX = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_NOT_ONLY_TEXT = frozenset("~nNtTfF+-.0123456789")
"""What begins otherwise is text and nothing else: most scalars are."""
_MAX_DIGITS = 40
_YAML = "tag:yaml.org,2002:"
_SCALAR_TAGS = frozenset({f"{_YAML}{name}" for name in ("bool", "float", "int", "null")})
_TAGS = _SCALAR_TAGS | {"!", "!override", "!reset", f"{_YAML}map", f"{_YAML}seq", f"{_YAML}str"}
"""The tags that mean something: those of YAML's core schema, and those of Compose."""
_LEAF = (1, 0)
"""The extent of a scalar: one value, and nothing below it."""


def read_yaml(
    path: Path, name: str | None = None, border: Border | None = None
) -> tuple[Node | None, tuple[Finding, ...]]:
    """Read one YAML document from a file.

    Args:
        path: the file.
        name: what findings call it; the path by default.
        border: what it must lie inside of, if that matters.

    Returns:
        The tree, or None if it cannot be read at all, and the findings.
    """
    text, findings = read_file(path, name, border)
    return (None, findings) if text is None else read_text(text, name or str(path))


def read_text(text: str, name: str) -> tuple[Node | None, tuple[Finding, ...]]:
    """Read one YAML document from text; an empty one reads as an empty mapping.

    Returns:
        The tree, or None if it cannot be read at all, and the findings (duplicate keys, unknown aliases, …).
    """
    builder = _Builder(name)
    try:
        node = builder.document(_LOADER(text))
    except _Broken as fault:
        return None, (*builder.findings, fault.finding)
    except yaml.MarkedYAMLError as fault:
        return None, (*builder.findings, _syntax(fault, name))
    except yaml.reader.ReaderError as fault:
        return None, (*builder.findings, _character(fault, text, name))
    except (yaml.YAMLError, RecursionError, ValueError) as fault:
        return None, (*builder.findings, error("source/yaml", Place(name), name, f"is not YAML: {fault}"))
    return node, tuple(builder.findings)


def _syntax(fault: yaml.MarkedYAMLError, name: str) -> Finding:
    mark = fault.problem_mark or fault.context_mark
    place = Place(name, mark.line + 1, mark.column + 1) if mark else Place(name)
    context = f" {fault.context}" if fault.context else ""
    message = f"is not YAML:{context} {fault.problem or ''}".rstrip()
    return error("source/yaml", place, name, message, "mend the line; nothing of this file was read")


def _character(fault: yaml.reader.ReaderError, text: str, name: str) -> Finding:
    before = text[: fault.position] if isinstance(fault.position, int) else ""
    place = Place(name, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
    code = fault.character if isinstance(fault.character, int) else ord(str(fault.character)[:1] or " ")
    message = f"holds the character U+{code:04X}, which YAML does not allow"
    return error("source/character", place, name, message, "take it out, and save the file as UTF-8")


def _tag(tag: str, place: Place, name: str) -> Finding:
    message = f"the tag {tag.replace(_YAML, '!!')} means nothing here"
    return error("source/tag", place, name, message, "remove the tag; Compose's own are !override and !reset")


class _Broken(Exception):  # noqa: N818 - a signal inside this file, never seen outside it
    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


class _Builder:
    """Turns parser events into Nodes; one instance a document."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.findings: list[Finding] = []
        self.anchors: dict[str, Node] = {}
        self.read = 0
        self.extents: dict[int, tuple[int, int]] = {}
        self.next: Callable[[], Any]

    def document(self, parser: Any) -> Node:
        self.next = parser.get_event
        root: Node | None = None
        while (event := self.next()) is not None:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    self._fail("source/documents", self._place(event), "holds a second YAML document (---)")
                root = self._node(self.next(), 0)
        if root is None or (root.value is None and not root.text):
            return Node({}, root.place if root else Place(self.name, 1, 1))
        return root

    def _node(self, event: Any, depth: int, key: Place | None = None) -> Node:
        """Return the value that begins with an event, and read all that belongs to it.

        Args:
            event: its first one.
            depth: how deeply it is nested.
            key: where its key stands, if it is the value of a mapping.
        """
        place = self._place(event)
        kind = type(event)
        if kind is yaml.AliasEvent:
            name = str(event.anchor)
            if name not in self.anchors:
                self._fail("source/yaml", place, f"alias *{name} has no anchor before it")
            self._deep(depth + self.extents.get(id(self.anchors[name].value), _LEAF)[1], place)
            return replace(self.anchors[name], key=key)
        self._deep(depth, place)
        if event.tag and event.tag not in _TAGS:
            self.findings.append(_tag(event.tag, place, self.name))
        if kind is yaml.ScalarEvent:
            node = _scalar(event, place, key)
        elif kind is yaml.SequenceStartEvent:
            node = self._sequence(event, depth, place, key)
        else:
            node = self._mapping(event, depth, place, key)
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def _sequence(self, event: Any, depth: int, place: Place, key: Place | None) -> Node:
        items = []
        while type(item := self.next()) is not yaml.SequenceEndEvent:
            items.append(self._node(item, depth + 1))
            self._count(1, items[-1].place)
        node = Node(tuple(items), place, key, _local(event))
        self._measure(node, items)
        return node

    def _mapping(self, event: Any, depth: int, place: Place, key: Place | None) -> Node:
        own: dict[str, Node] = {}
        merged: list[Node] = []
        while type(item := self.next()) is not yaml.MappingEndEvent:
            at = self._place(item)
            self._count(1, at)
            word = _word(item) if depth < MAX_DEPTH else None
            named = self._node(item, depth + 1) if word is None else None
            value = self._node(self.next(), depth + 1, at)
            if named is not None:
                if named.is_map or named.is_list:
                    self._fail("source/key", at, "a key must be a word, not a list or a map")
                if named.text == _MERGE and not named.tag:
                    merged.extend(self._merge_sources(value, at))
                    continue
                word = named.text or ("null" if named.value is None else named.string)
            name = word or ""
            if name in own:
                first = own[name].here
                message = f"duplicate key '{name}' (first at line {first.line})"
                self.findings.append(
                    error("source/duplicate-key", at, name, message, "keep one of them", also=(first,))
                )
                continue
            own[name] = value
        # Own keys win over merged ones, and earlier merge sources over later ones (YAML merge key specification).
        for source in merged:
            self._count(len(source.value), place)
            for name, child in source.items():
                own.setdefault(name, child)
        node = Node(own, place, key, _local(event))
        self._measure(node, own.values())
        return node

    def _merge_sources(self, value: Node, place: Place) -> list[Node]:
        sources = list(value) if value.is_list else [value]
        for source in sources:
            if not source.is_map:
                self._fail("source/merge", place, "a merge key (<<) takes a map or a list of maps")
        return sources

    def _measure(self, node: Node, children: Iterable[Node]) -> None:
        """Reckon how many values this node would be, and how deep, if every alias were written out."""
        total, height = 1, 0
        for child in children:
            size, below = self.extents.get(id(child.value), _LEAF)
            total += size
            height = max(height, below)
        if total > MAX_NODES:
            self._too_many(node.place)
        self.extents[id(node.value)] = (total, height + 1)

    def _count(self, values: int, place: Place) -> None:
        """Count what is read or merged as it comes: the sum at the end would come too late."""
        self.read += values
        if self.read > MAX_NODES:
            self._too_many(place)

    def _too_many(self, place: Place) -> None:
        self._fail("source/too-many-values", place, f"expands to more than {MAX_NODES:,} values")

    def _deep(self, depth: int, place: Place) -> None:
        if depth > MAX_DEPTH:
            self._fail("source/too-deep", place, f"is nested more than {MAX_DEPTH} levels deep")

    def _place(self, event: Any) -> Place:
        mark = event.start_mark
        return Place(self.name, mark.line + 1, mark.column + 1)

    def _fail(self, rule: str, place: Place, message: str) -> None:
        raise _Broken(error(rule, place, self.name, message, "mend the line; nothing of this file was read"))


def _word(event: Any) -> str | None:
    """Return a key that is an ordinary word; None for any other, which has to be looked at."""
    if type(event) is not yaml.ScalarEvent or event.tag or event.anchor or event.value in _NO_WORD:
        return None
    return str(event.value)


def _scalar(event: Any, place: Place, key: Place | None) -> Node:
    text, plain = event.value, not event.style
    if not event.tag:
        return Node(_core(text), place, key, "", text) if plain else Node(text, place, key)
    tag = _local(event)
    if tag:
        value: Scalar = text if text or not event.implicit[0] else None
        return Node(_core(text) if plain else value, place, key, tag, text)
    return Node(_core(text), place, key, "", text) if event.tag in _SCALAR_TAGS else Node(text, place, key)


def _local(event: Any) -> str:
    tag = event.tag or ""
    return tag if tag.startswith("!") and tag != "!" else ""


def _core(text: str) -> Scalar:
    """Resolve a plain scalar by the YAML 1.2 core schema."""
    if text and text[0] not in _NOT_ONLY_TEXT:
        return text
    if _NULL.fullmatch(text):
        return None
    if _BOOL.fullmatch(text):
        return text[0] in "tT"
    if len(text) > _MAX_DIGITS:
        return text
    if _INT.fullmatch(text):
        return int(text)
    if _RADIX.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _SPECIAL.fullmatch(text):
        return float(text.lower().replace(".", ""))
    return text
