"""Is it a Compose file at all? The Compose JSON Schema, asked part by part, answered at the line.

What the schema refuses is named and then taken out of the tree, so that everything after this works on well-formed
data and one mistake is one finding.
"""

from __future__ import annotations

import difflib
import json
import math
import re
from typing import TYPE_CHECKING, Any, cast

import jsonschema

from bayplan.compose.forms import RESET
from bayplan.compose.schema import WORDS, definitions, entry
from bayplan.finding import Finding, error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jsonschema.exceptions import ValidationError

    from bayplan.source import Node

SECTIONS = {"services": "service", "networks": "network", "volumes": "volume", "secrets": "secret", "configs": "config"}
"""Section of a Compose file → the definition of one entry in the schema."""

_ROUNDS = 8
_TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "nothing",
    "number": "a number",
    "object": "a map",
    "string": "a word",
}
_Path = tuple[str | int, ...]


def well_formed(section: str, name: str, node: Node) -> tuple[Node | None, list[Finding]]:
    """Check one entry of a section, such as one service.

    Returns:
        The entry without what the schema refuses, or None if nothing is left of it, and the findings.
    """
    if section == "services" and node.value is None:
        message = "holds nothing; a service is a map with an image or a build"
        return None, [error("compose/null-service", node.here, name, message, f"define {name}, or remove the line")]
    subject = f"{section}.{name}"
    findings: list[Finding] = []
    for _ in range(_ROUNDS):
        faults = tuple(_faults(SECTIONS[section], node))
        if not faults:
            return node, findings
        taken: set[_Path] = set()
        for fault in faults:
            found, paths = _explain(fault, node, subject)
            findings.extend(found)
            taken.update(paths)
        if () in taken:
            return None, findings
        node = _without(node, taken)
    return None, findings


def _faults(definition: str, node: Node) -> Iterator[ValidationError]:
    try:
        yield from entry(definition).faults(_data(node))
    except RecursionError:  # pragma: no cover - the reader bounds the depth
        yield jsonschema.ValidationError("is nested too deeply")


def _data(node: Node) -> Any:
    """Return the plain data to check: what `!reset` takes back has no form to keep."""
    value = node.value
    if isinstance(value, dict):
        return {key: _data(child) for key, child in value.items() if child.tag != RESET}
    if isinstance(value, tuple):
        return [_data(child) for child in value]
    return value


def _explain(fault: ValidationError, root: Node, subject: str) -> tuple[list[Finding], list[_Path]]:
    """Return what a fault says, and the paths that have to go."""
    deepest = _deepest(fault)
    path = tuple(deepest.absolute_path)
    node = _at(root, path)
    whom = _dotted(subject, path)
    if deepest.validator == "additionalProperties" and node.is_map:
        return _unknown_keys(deepest, node, path, whom)
    message, remedy = _sentence(deepest, node)
    # Without its first word a list would mean something else.
    gone = path[:-1] if "prefixItems" in deepest.absolute_schema_path else path
    write = _as_word(deepest, node)
    place = node.place if write else node.here
    return [error("compose/schema", place, whom, message, "" if write else remedy, write=write)], [gone]


def _as_word(fault: ValidationError, node: Node) -> str:
    """Return a number, or a truth value, in quotes where Compose takes the word that it is: `cpuset: 6`."""
    kinds = fault.validator_value if fault.validator == "type" else ()
    wanted = {kinds} if isinstance(kinds, str) else set(cast("Any", kinds))
    if "string" not in wanted or not isinstance(node.value, (int, float)) or not math.isfinite(node.value):
        return ""
    pattern = cast("Any", fault.schema).get("pattern", "")
    return json.dumps(node.string) if re.search(pattern, node.string) else ""


def _deepest(fault: ValidationError) -> ValidationError:
    """Return the fault in that alternative which fits best: the one whose type is right."""
    while fault.context:
        branches: dict[Any, list[ValidationError]] = {}
        for inner in fault.context:
            branches.setdefault(inner.schema_path[0], []).append(inner)
        fitting = [faults for faults in branches.values() if not any(_wrong_type(one) for one in faults)]
        if len(fitting) != 1:
            return fault
        fault = max(fitting[0], key=lambda one: len(one.path))
    return fault


def _wrong_type(fault: ValidationError) -> bool:
    return fault.validator == "type" and not fault.path


def _unknown_keys(fault: ValidationError, node: Node, path: _Path, whom: str) -> tuple[list[Finding], list[_Path]]:
    known = fault.schema.get("properties", {}) if isinstance(fault.schema, dict) else {}
    patterns = fault.schema.get("patternProperties", {}) if isinstance(fault.schema, dict) else {}
    closed = set(patterns) <= {"^x-"}
    findings, paths = [], []
    for key, child in node.items():
        if key in known or child.tag == RESET or key.startswith("x-") or (not closed and _matches(key, patterns)):
            continue
        near = difflib.get_close_matches(key, sorted(known), 1)
        remedy = f"did you mean '{near[0]}'?" if near else "remove it, or start it with x- if it is a note of yours"
        message = f"Compose knows no key '{key}' here" if closed else f"'{key}' is not a name that Compose takes"
        findings.append(error("compose/unknown-key", child.here, whom, message, remedy))
        paths.append((*path, key))
    return findings, paths or [path]


def _matches(key: str, patterns: Iterable[str]) -> bool:
    return any(re.search(pattern, key) for pattern in patterns)


def _sentence(fault: ValidationError, node: Node) -> tuple[str, str]:
    """Return what is wrong, and what to write instead."""
    rule, wanted = fault.validator, cast("Any", fault.validator_value)
    if rule in {"type", "oneOf"}:
        kinds = wanted if rule == "type" else _types(fault.schema)
        return f"is {_is(node)}, which Compose does not take here", f"write {_either(kinds)}"
    if rule == "required":
        lacking = " and ".join(key for key in wanted if node.get(key) is None)
        return f"lacks {lacking}", f"add {lacking}"
    if rule == "enum":
        return f"is {_is(node)}, which Compose does not know", f"write one of {', '.join(map(str, wanted))}"
    if rule == "pattern":
        return (
            f"is {_is(node)}, which has not the form that Compose takes",
            f"write {cast('Any', fault.schema).get(WORDS, wanted)}",
        )
    if rule in {"minimum", "maximum"}:
        return f"is {_is(node)}", f"write {wanted} or {'more' if rule == 'minimum' else 'less'}"
    return fault.message, "write it as the Compose Specification has it"


def _types(schema: Any) -> list[str]:
    """Return the types that the alternatives of a `oneOf` take."""
    found: list[str] = []
    for branch in schema.get("oneOf", ()):
        inner = definitions()[branch["$ref"].rsplit("/", 1)[1]] if "$ref" in branch else branch
        kinds = inner.get("type") or _types(inner)
        found.extend([kinds] if isinstance(kinds, str) else kinds)
    return list(dict.fromkeys(found))


def _either(kinds: str | list[str]) -> str:
    names = [_TYPES[kinds]] if isinstance(kinds, str) else [_TYPES[kind] for kind in kinds]
    return " or ".join(names) or "something else"


def _is(node: Node) -> str:
    if node.is_map or node.is_list:
        return _TYPES["object" if node.is_map else "array"]
    return "nothing" if node.value is None else f"'{node.string}'"


def _dotted(subject: str, path: _Path) -> str:
    return subject + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)


def _at(node: Node, path: _Path) -> Node:
    for step in path:
        child = node.get(step) if isinstance(step, str) else None
        if isinstance(step, int) and node.is_list and step < len(node.value):
            child = node.value[step]
        if child is None:
            return node
        node = child
    return node


def _without(node: Node, paths: set[_Path], here: _Path = ()) -> Node:
    if node.is_map:
        return node.with_value(
            {key: _without(child, paths, (*here, key)) for key, child in node.items() if (*here, key) not in paths}
        )
    if node.is_list:
        left = [_without(child, paths, (*here, i)) for i, child in enumerate(node) if (*here, i) not in paths]
        return node.with_value(tuple(left))
    return node
