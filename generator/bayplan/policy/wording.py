"""Where a policy departs from its schema, in sentences for people who never saw a schema."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bayplan.finding import Finding, error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bayplan.source import Node

Path = tuple[str | int, ...]

_ALSO_CALLED = {
    "cpu": ("cpus", "limits"),
    "cpus": ("limits",),
    "cores": ("cpus",),
    "memory": ("limits",),
    "mem": ("memory", "limits"),
    "ram": ("memory", "limits"),
    "vram": ("gpu_memory", "memory", "gpu"),
    "mem_limit": ("limits",),
    "reservations": ("requests",),
    "instances": ("replicas",),
    "host": ("address",),
    "strategy": ("scaling",),
}
"""What people who come from elsewhere write, and the keys that they may mean, the likeliest first."""

_COMPOSE_KEYS = frozenset(
    {
        "build", "cap_add", "command", "container_name", "cpuset", "depends_on", "deploy", "devices",
        "entrypoint", "env_file", "environment", "expose", "extra_hosts", "healthcheck", "hostname", "image",
        "labels", "logging", "network_mode", "networks", "ports", "privileged", "profiles", "restart",
        "runtime", "secrets", "shm_size", "stop_grace_period", "sysctls", "tmpfs", "ulimits", "user",
        "volumes", "working_dir",
    }
)  # fmt: skip
_KINDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a map",
}
_BOUNDS = {"minimum": "at least", "exclusiveMinimum": "more than", "maximum": "at most"}
_LONGEST = 40
_MANY = 20


@dataclass(frozen=True, slots=True)
class Fault:
    """One departure from the schema.

    Attributes:
        path: where in the document.
        kind: the keyword of the schema that does not hold.
        wanted: the keyword's value.
        schema: the part of the schema that it stands in.
        name: the key that is meant, if a key's own form is wrong.
    """

    path: Path
    kind: str
    wanted: Any
    schema: Mapping[str, Any] = field(default_factory=dict)
    name: str | None = None


def sentences(document: Node, fault: Fault) -> Iterator[Finding]:
    """Yield the findings that say a fault, each at the place where the policy should change."""
    node, subject = _at(document, fault.path), _dotted(fault.path)
    if fault.name is not None and fault.kind == "maxLength":
        message = f"'{_short(fault.name)}' is longer than {fault.wanted} letters"
        yield error("schema/value", node.value[fault.name].here, subject, message, "write a shorter name")
    elif fault.name is not None:
        message = f"'{_short(fault.name)}' is no name here: it expects {expected(fault.schema)}"
        yield error("schema/value", node.value[fault.name].here, subject, message, "rename it")
    elif fault.kind == "additionalProperties":
        yield from _unknown(node, fault)
    elif fault.kind == "required":
        yield from _missing(node, subject, fault)
    elif fault.kind in {"anyOf", "oneOf"}:
        yield _one_of(node, subject, fault)
    elif fault.kind == "type":
        message = f"expects {expected(fault.schema)}, got {_got(node, fault.path)}"
        yield error("schema/type", node.place, subject, message, _example(fault.schema))
    else:
        message, remedy = _value(node, fault)
        yield error("schema/value", node.place, subject, message, remedy)


def _unknown(node: Node, fault: Fault) -> Iterator[Finding]:
    known = fault.schema.get("properties", {})
    patterns = fault.schema.get("patternProperties", {})
    for key, child in node.items():
        if key in known or any(re.search(pattern, key) for pattern in patterns):
            continue
        near = _near(key, known)
        message = f"unknown key '{_short(key)}'{_did_you_mean(near)}"
        remedy = _remedy(key, near, known)
        if " " in key and child.value is None:  # {why: small, but enough}
            remedy = "a text with a comma wants quotes inside {…}"
        yield error("schema/unknown-key", child.here, _dotted((*fault.path, key)), message, remedy)


def _remedy(key: str, near: str, known: Mapping[str, Any]) -> str:
    if "compose" in known and "requests" in known and key in _COMPOSE_KEYS:
        return f"a key of Compose stands under compose: (compose: {{{key}: …}})"
    if near == "limits" and key in _ALSO_CALLED:
        return f"write limits: {{{'cpus' if 'cpu' in key else 'memory'}: …}}"
    if near:
        return f"write {near}"
    keys = sorted(key for key in known if key != "why")
    more = f" and {len(keys) - _MANY} more" if len(keys) > _MANY else ""
    own = "; a countable of your own stands under resources of a node first" if "pids" in known else ""
    return f"the keys here are {', '.join(keys[:_MANY])}{more}{own}" if keys else "remove it"


def _missing(node: Node, subject: str, fault: Fault) -> Iterator[Finding]:
    known = fault.schema.get("properties", {})
    for key in fault.wanted:
        if key not in node.value:
            what = known.get(key, {}).get("description", "")
            remedy = f"add {key}: {what}".rstrip(": ")
            yield error("schema/missing", node.here, subject, f"lacks '{key}'", remedy)


def _one_of(node: Node, subject: str, fault: Fault) -> Finding:
    """Return the finding for "exactly one of these keys" or "at least one of these keys"."""
    keys = [key for choice in fault.wanted for key in choice["required"]]
    choices = f"{', '.join(keys[:-1])} or {keys[-1]}"
    there = " and ".join(key for key in keys if key in node.value)
    if not there:
        return error("schema/missing", node.here, subject, f"lacks one of {choices}", f"add {keys[0]}:")
    message = f"has {there}: it expects one of {choices}"
    return error("schema/value", node.here, subject, message, "keep one of them")


def _value(node: Node, fault: Fault) -> tuple[str, str]:
    """Return the message and the remedy for a value of the right type that is not allowed."""
    got, wanted, remedy = _got(node, fault.path), fault.wanted, _example(fault.schema)
    if fault.kind == "enum":
        words = [str(word) for word in wanted if word is not None]
        near = _near(node.string, words)
        message = f"expects one of {', '.join(words)}, got {got}{_did_you_mean(near)}"
        return message, f"write {near}" if near else "write one of them"
    if fault.kind in _BOUNDS:
        return f"expects {_BOUNDS[fault.kind]} {wanted:,}, got {got}", remedy
    if fault.kind in {"minItems", "maxItems"}:
        return f"expects {wanted} {'item' if wanted == 1 else 'items'}, got {len(node.value)}", remedy
    if fault.kind == "maxLength":
        return f"is longer than {wanted} letters: {got}", "write less"
    if fault.kind == "minProperties":
        return "is empty", remedy
    if fault.kind == "uniqueItems":
        return "names one thing twice", "name each once"
    return f"expects {expected(fault.schema)}, got {got if node.string else 'nothing'}", remedy


def _at(document: Node, path: Path) -> Node:
    node = document
    for step in path:
        node = node.value[step]
    return node


def _dotted(path: Path) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".") or "policy"


def _near(word: str, known: Iterable[str]) -> str:
    choices = sorted(key for key in known if key != "why")
    for meant in _ALSO_CALLED.get(word, ()):
        if meant in choices:
            return meant
    folded = {_folded(choice): choice for choice in choices}
    close = difflib.get_close_matches(_folded(word), folded, n=1)
    return folded[close[0]] if close else ""


def _folded(word: str) -> str:
    return word.lower().replace("_", "-")


def _did_you_mean(near: str) -> str:
    return f"; did you mean '{near}'?" if near else ""


def expected(schema: Mapping[str, Any]) -> str:
    """Return what a schema takes, in words: its title, else the names of its types."""
    if "title" in schema:
        return str(schema["title"])
    types = schema.get("type", [])
    names = [_KINDS[kind] for kind in ([types] if isinstance(types, str) else types) if kind in _KINDS]
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names) or "something else"


def _example(schema: Mapping[str, Any]) -> str:
    """Return a remedy made of the schema's own example, else of what it takes."""
    examples = schema.get("examples", ())
    return f"write it as {flow(examples[0])}" if examples else f"write {expected(schema)}"


def flow(value: object) -> str:
    """Return a value as a person writes it on one line of YAML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _got(node: Node, path: Path) -> str:
    if node.is_map:
        return "a map"
    if node.is_list:
        return "a list"
    if node.value is None:
        return "nothing"
    if path[:1] == ("secrets",):
        return "a value that is not shown"
    return f"'{_short(node.string)}'" if isinstance(node.value, str) else node.string


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
