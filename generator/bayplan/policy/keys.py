"""The keys of the policy language, looked up by their path: what each means, takes, and is when nobody says it."""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from bayplan.policy.validate import schema_text
from bayplan.policy.wording import expected, flow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Path = tuple[str, ...]
Schema = dict[str, Any]

ANY, ITEM = "*", "[]"
"""What stands in a path for any name, and for any item of a list."""
_OWN = "^x-"
_DEEPEST = 8
"""How many names deep near ones are looked for; what is said of services is said again in environments and defaults."""
_DEFAULT = re.compile(r"\bdefault:? ([^;]+?)\.?$")


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the policy language.

    Attributes:
        path: where it stands; `*` is any name, `[]` any item of a list.
        description: what it means.
        takes: what it may be, in words.
        default: what it is where nobody says it, or empty where that is not said.
        choices: the words that it may be, if it takes some words only.
        examples: values, as YAML on one line.
        keys: the keys below it.
    """

    path: Path
    description: str
    takes: str
    default: str
    choices: tuple[str, ...]
    examples: tuple[str, ...]
    keys: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return the path as one types it: `services.*.limits.memory`."""
        return ".".join(self.path)


def key_at(path: Path) -> Key | None:
    """Return the key at a path of a policy: names stand in it as they are, items as `[]`."""
    found = _strict(_schema(), path)
    return None if found is None else _key(*found)


def key_called(words: str) -> Key | None:
    """Return the key that is meant: `services.limits.memory`, with the names of services left out or not."""
    parts = tuple(part for part in re.sub(r"\[[0-9]*\]", "", words).split(".") if part not in {ANY, ""})
    found = _loose(_schema(), parts, ()) if parts else None
    return None if found is None else _key(*found)


def near(words: str) -> tuple[str, ...]:
    """Return up to three keys that may be meant, as one may type them: those that end so, or are called nearly so."""
    ending = [key for key in _typed() if key.endswith(f".{words}")]
    ending.sort(key=lambda key: (key.count("."), key))
    return tuple(dict.fromkeys([*ending, *difflib.get_close_matches(words, _typed(), 3, 0.7)]))[:3]


def _key(schema: Schema, path: Path) -> Key:
    said = re.search(_DEFAULT, str(schema.get("description", "")))
    inside = resolved(schema["items"]) if isinstance(schema.get("items"), dict) else schema
    below = inside.get("properties", {})
    return Key(
        path,
        str(schema.get("description", "")),
        expected(schema) if "title" in schema or "type" in schema else "",
        json.dumps(schema["default"]) if "default" in schema else said[1] if said else "",
        tuple(str(choice) for choice in schema.get("enum", ()) if choice is not None),
        tuple(flow(example) for example in schema.get("examples", ())),
        tuple(sorted(name for name in below if name != "why")),
    )


@cache
def _schema() -> Schema:
    schema: Schema = json.loads(schema_text())
    return schema


def resolved(schema: Mapping[str, Any]) -> Schema:
    """Return a part of the schema with its reference followed; what stands beside the reference stays."""
    if "$ref" not in schema:
        return dict(schema)
    target = _schema()["$defs"][str(schema["$ref"]).rpartition("/")[2]]
    return {**resolved(target), **{key: value for key, value in schema.items() if key != "$ref"}}


def _named(part: Schema, name: str) -> Schema | None:
    """Return what the schema says of a key of its own, or of one that a pattern of it fits."""
    own = part.get("properties", {}).get(name)
    patterns = part.get("patternProperties", {}).items()
    fits = (value for pattern, value in patterns if pattern != _OWN and re.search(pattern, name))
    return own if own is not None else next(fits, None)


def _any(part: Schema) -> Schema | None:
    """Return what the schema says of a key that may be called anything."""
    rest = part.get("additionalProperties")
    return rest if isinstance(rest, dict) else None


def _strict(schema: Schema, words: Path, path: Path = ()) -> tuple[Schema, Path] | None:
    part = resolved(schema)
    if not words:
        return part, path
    word, *left = words
    if word == ITEM:
        return _strict(part["items"], tuple(left), (*path, ITEM)) if isinstance(part.get("items"), dict) else None
    named = _named(part, word)
    if named is not None:
        return _strict(named, tuple(left), (*path, word))
    rest = _any(part)
    return _strict(rest, tuple(left), (*path, ANY)) if rest is not None else None


def _loose(schema: Schema, words: Path, path: Path) -> tuple[Schema, Path] | None:
    """Return the first reading of a path that holds: keys as they are, then names left out, then names."""
    part = resolved(schema)
    if not words:
        return part, path
    for many in range(1, len(words) + 1):
        name = ".".join(words[:many])
        named = _named(part, name)
        found = _loose(named, words[many:], (*path, name)) if named is not None else None
        if found:
            return found
    if isinstance(part.get("items"), dict):
        found = _loose(part["items"], words, (*path, ITEM))
        if found:
            return found
    rest = _any(part)
    if rest is None:
        return None
    found = _loose(rest, words, (*path, ANY))
    if found:
        return found
    return _as_names(part, rest, words, path)


def _as_names(part: Schema, rest: Schema, words: Path, path: Path) -> tuple[Schema, Path] | None:
    """Return the reading in which the first words are a name; the last word is rather a key that was misspelt."""
    known = {*part.get("properties", {}), *resolved(rest).get("properties", {})}
    misspelt = bool(difflib.get_close_matches(words[0], known, 1, 0.75))
    many = _name(part, words)
    if many == 0 or (misspelt and many == len(words)):
        return None
    return _loose(rest, words[many:], (*path, ANY))


def _name(part: Schema, words: Path) -> int:
    """Return how many words a name takes, as few as it needs (an alert is called `node.memory`), or 0 if it is none."""
    form = resolved(part.get("propertyNames", {})).get("pattern", "")
    fits = (many for many in range(1, len(words) + 1) if re.search(form, ".".join(words[:many])))
    return next(fits, 0)


@cache
def _typed() -> tuple[str, ...]:
    """Return all keys without the names between them."""
    return tuple(sorted(set(_below(_schema(), ()))))


def _below(schema: Schema, path: Path) -> Iterator[str]:
    part = resolved(schema)
    if path:
        yield ".".join(path)
    if len(path) >= _DEEPEST or path[:1] in {("environments",), ("defaults",)}:
        return
    for name, child in part.get("properties", {}).items():
        if name != "why":
            yield from _below(child, (*path, name))
    for child in (part.get("items"), part.get("additionalProperties")):
        if isinstance(child, dict):
            yield from (name for name in _below(child, path) if name != ".".join(path))
