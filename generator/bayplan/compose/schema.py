"""The Compose JSON Schema, ready to be asked about one entry at a time."""

from __future__ import annotations

import functools
import json
from importlib import resources
from typing import Any

from bayplan.schema import Schema

WORDS = "x-words"
"""Key of a pattern in the schema: what it asks for, in words."""

NAME = r"^[a-zA-Z0-9._-]+\Z"
"""What Compose takes as the name of a service, a volume or a network."""

_DURATION = (r"^(0|-?([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h|d|w))+)$", "a duration such as 30s or 1m30s")
_NUMBER = (r"^-?[0-9]+$", "a whole number")
_COUNT = (r"^(all|-?[0-9]+)$", "a number or all")
_NAME = (r"^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,199}$", "letters, digits, '_', '.' and '-', 200 at most")
_HOST = (r"^[^:=]+[:=]", "name:address")
_SIZE = (r"^\s*[0-9]+(\.[0-9]+)?\s*([bkmgtpBKMGTP]|[kmgtpKMGTP][iI]?[bB])?\s*$", "an amount such as 64m or 2g")
_DEPLOY_TIMES = {"restart_policy": ("delay", "window"), "update_config": ("delay", "monitor")}

# Compose itself is stricter than its schema here: definition, path in it, what a text there must look like.
_STRICTER: tuple[tuple[tuple[str | int, ...], tuple[str, str]], ...] = (
    *((("healthcheck", key), _DURATION) for key in ("interval", "timeout", "start_period", "start_interval")),
    *((("deployment", part, key), _DURATION) for part, keys in _DEPLOY_TIMES.items() for key in keys),
    (("container_spec", "stop_grace_period"), _DURATION),
    (("container_spec", "shm_size"), _SIZE),
    *(((section, *path), _NAME) for section in ("network", "volume") for path in (("name",), ("external", "name"))),
    (("container_spec", "volumes", "items", 1, "tmpfs", "size", 1), _SIZE),
    (("devices", "items", "count"), _COUNT),
    (("gpus", 1, "items", "count"), _COUNT),
    (("ulimits", "^[a-z]+$", 0), _NUMBER),
    (("extra_hosts", 1, "items"), _HOST),
)


@functools.cache
def entry(definition: str) -> Schema:
    """Return the schema of one entry: a service, a network, a volume, a secret or a config."""
    known = definitions()
    return Schema({"$defs": known, **known[definition]})


@functools.cache
def definitions() -> dict[str, Any]:
    """Return the definitions of the schema, with a service as one closed map.

    The parts that a service is composed of forbid unevaluated keys together; a fault inside one of them makes
    every other key unevaluated. Joined, each fault stands alone. Repeated items are no fault: Compose drops them.
    """
    text = resources.files("bayplan.compose").joinpath("compose-spec.json").read_text(encoding="utf-8")
    known: dict[str, Any] = _without_unique(json.loads(text)["$defs"])
    for path, (pattern, words) in _STRICTER:
        _at(known[str(path[0])], path[1:]).update({"pattern": pattern, WORDS: words})
    _at(known["healthcheck"], ("test", 1))["prefixItems"] = [{"enum": ["CMD", "CMD-SHELL", "NONE"]}]
    for name in ("service", "job", "pre_start_hook"):
        joined = known[name]
        parts = [known[part["$ref"].rsplit("/", 1)[1]] for part in joined.pop("allOf")]
        joined["properties"] = {key: value for part in (*parts, joined) for key, value in part["properties"].items()}
        del joined["unevaluatedProperties"]
        joined |= {"type": "object", "additionalProperties": False, "patternProperties": {"^x-": {}}}
    whole: dict[str, Any] = whole_texts(known)
    return whole


def _at(schema: Any, path: tuple[str | int, ...]) -> dict[str, Any]:
    """Return a part of a schema; a number chooses an alternative, a word a key."""
    for step in path:
        if isinstance(step, int):
            schema = schema["oneOf"][step]
        elif step == "items":
            schema = schema["items"]
        else:
            schema = schema.get("properties", {}).get(step) or schema["patternProperties"][step]
    found: dict[str, Any] = schema
    return found


def whole_texts(schema: Any) -> Any:
    """Return a copy of a schema whose patterns mean the whole text: `$` also stands before a last newline here."""
    if isinstance(schema, list):
        return [whole_texts(value) for value in schema]
    if not isinstance(schema, dict):
        return schema
    copied = {key: whole_texts(value) for key, value in schema.items()}
    if isinstance(pattern := copied.get("pattern"), str):
        copied["pattern"] = _whole(pattern)
    if isinstance(keys := copied.get("patternProperties"), dict):
        copied["patternProperties"] = {_whole(key): value for key, value in keys.items()}
    return copied


def _whole(pattern: str) -> str:
    return f"{pattern[:-1]}\\Z" if pattern.endswith("$") else pattern


def _without_unique(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {key: _without_unique(value) for key, value in schema.items() if key != "uniqueItems"}
    return [_without_unique(value) for value in schema] if isinstance(schema, list) else schema
