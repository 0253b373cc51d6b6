"""The schema of the policy is valid, closed and shown whole by the reference; departures are named."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from bayplan.policy.folder import policy_files, read_folder
from bayplan.policy.validate import schema_text, validate
from bayplan.source import plain, read_text, walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.source import Node

ROOT = Path(__file__).parents[3]
CASES = ROOT / "tests" / "cases" / "policy" / "schema"
SCHEMA: dict[str, Any] = json.loads(schema_text())
POLICIES = sorted({file.parent for file in (ROOT / "policies").glob("*/*.yml")})
Key = tuple[str, str]


def cases() -> list[Any]:
    """Return the cases of all files, each named by its file and its own name."""
    return [
        pytest.param(case, id=f"{file.stem}: {case['name']}")
        for file in sorted(CASES.glob("*.yml"))
        for case in yaml.safe_load(file.read_text(encoding="utf-8"))
    ]


def parts(schema: object, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every map of the schema with its path."""
    if isinstance(schema, dict):
        yield path, schema
        for key, value in schema.items():
            if key not in {"examples", "enum", "required"}:
                yield from parts(value, f"{path}/{key}")
    elif isinstance(schema, list):
        for index, value in enumerate(schema):
            yield from parts(value, f"{path}/{index}")


def resolved(schema: object) -> dict[str, Any]:
    """Return a part of the schema with its reference followed; what stands beside the reference stays."""
    if not isinstance(schema, dict):
        return {}
    if "$ref" not in schema:
        return schema
    target = SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    return {**resolved(target), **{key: value for key, value in schema.items() if key != "$ref"}}


def key_of(name: str, schema: object) -> Key:
    """Return a key of the language: a name with its meaning. The same meaning in two maps is one key."""
    return name, json.dumps(schema, sort_keys=True)


def properties(schema: object) -> Iterator[tuple[str, Any]]:
    """Yield the named keys of a map, and the patterns of keys that mean something."""
    part = resolved(schema)
    yield from part.get("properties", {}).items()
    for pattern, value in part.get("patternProperties", {}).items():
        if value is not True:
            yield pattern, value


def keys(schema: object) -> set[Key]:
    """Return all keys of the language that a part of the schema has, in it and below."""
    found: set[Key] = set()
    part = resolved(schema)
    for name, value in properties(part):
        found |= {key_of(name, value)} | keys(value)
    for below in {"additionalProperties", "items"} & set(part):
        found |= keys(part[below])
    return found


def used(schema: object, value: object) -> set[Key]:
    """Return the keys of the language that a document uses."""
    part = resolved(schema)
    found: set[Key] = set()
    if isinstance(value, list):
        return found.union(*(used(part.get("items"), item) for item in value))
    if not isinstance(value, dict):
        return found
    known = dict(properties(part))
    for name, child in value.items():
        patterns = (one for one in known if one.startswith("^") and re.search(one, name))
        match = name if name in known else next(patterns, None)
        if match is not None:
            found |= {key_of(match, known[match])} | used(known[match], child)
        else:
            found |= used(part.get("additionalProperties"), child)
    return found


def sentences(document: Node) -> list[str]:
    """Return the findings as one line each."""
    return [f"{one.place} {one.rule} {one.subject}: {one.message}" for one in validate(document)]


def test_the_schema_is_valid() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_every_reference_leads_somewhere_and_every_definition_is_used() -> None:
    references = {part["$ref"].removeprefix("#/$defs/") for _, part in parts(SCHEMA) if "$ref" in part}
    assert references == set(SCHEMA["$defs"])


def test_every_key_is_described_in_one_sentence() -> None:
    described = {
        f"{path}/{name}": resolved(value).get("description", "")
        for path, part in parts(SCHEMA)
        for name, value in part.get("properties", {}).items()
    }
    assert described
    assert [path for path, text in described.items() if not re.fullmatch(r"\S.*\.", text)] == []


def test_every_map_of_fixed_keys_is_closed_and_takes_a_reason() -> None:
    maps = {path: part for path, part in parts(SCHEMA) if isinstance(part.get("properties"), dict)}
    maps = {path: part for path, part in maps.items() if "type" in part}
    assert maps
    assert [path for path, part in maps.items() if "additionalProperties" not in part] == []
    assert [path for path, part in maps.items() if "why" not in part["properties"]] == []


def test_choices_are_between_keys_only() -> None:
    """The sentences about anyOf and oneOf can say nothing else."""
    groups = [part[kind] for _, part in parts(SCHEMA) for kind in ("anyOf", "oneOf") if kind in part]
    assert groups
    assert all(set(choice) == {"required"} for group in groups for choice in group)


def test_every_example_of_the_schema_is_right() -> None:
    wrong = []
    for path, part in parts(SCHEMA):
        validator = Draft202012Validator({**part, "$defs": SCHEMA["$defs"]})
        wrong += [(path, example) for example in part.get("examples", []) if not validator.is_valid(example)]
    assert wrong == []


def test_the_reference_uses_every_key() -> None:
    document, _ = read_folder(ROOT / "policies" / "reference")
    assert sorted(name for name, _ in keys(SCHEMA) - used(SCHEMA, plain(document))) == []


@pytest.mark.parametrize("folder", POLICIES, ids=lambda folder: folder.name)
def test_policies_of_the_project_are_valid(folder: Path) -> None:
    document, findings = read_folder(folder)
    assert findings == ()
    assert sentences(document) == []


@pytest.mark.parametrize("folder", POLICIES, ids=lambda folder: folder.name)
def test_policies_of_the_project_name_the_schema_for_editors(folder: Path) -> None:
    for file in policy_files(folder):
        first = file.read_text(encoding="utf-8").split("\n", 1)[0]
        path = first.removeprefix("# yaml-language-server: $schema=")
        assert (file.parent / path).resolve() == ROOT / "generator" / "bayplan" / "policy" / "schema.json"


@pytest.mark.parametrize("case", cases())
def test_findings(case: dict[str, Any]) -> None:
    document, findings = read_text(case["policy"], "policy.yml")
    assert findings == ()
    assert document is not None
    assert sentences(document) == case["findings"]


def test_every_finding_says_what_to_do_where_the_schema_knows() -> None:
    text = "services: {web: {qos: garanteed, replcas: 2, image: nginx, why: so, or so}}"
    document, _ = read_text(text, "p.yml")
    assert document is not None
    assert [finding.remedy for finding in validate(document)] == [
        "write guaranteed",
        "write replicas",
        "a key of Compose stands under compose: (compose: {image: …})",
        "a text with a comma wants quotes inside {…}",
    ]


def test_a_document_that_is_no_map() -> None:
    document, _ = read_text("[nodes]", "p.yml")
    assert document is not None
    assert sentences(document) == ["p.yml:1:1 schema/type policy: expects a bayplan policy, got a list"]


WORDS = sorted({name for _, part in parts(SCHEMA) for name in part.get("properties", {})})
TEXTS = st.text(max_size=5) | st.sampled_from(WORDS)
SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.floats() | TEXTS
DOCUMENTS = st.recursive(
    SCALARS,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(TEXTS, below, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(sorted(SCHEMA["properties"])), DOCUMENTS, max_size=4))
@settings(derandomize=True, deadline=None, max_examples=150)
def test_whatever_is_written_every_finding_points_into_the_document(data: dict[str, Any]) -> None:
    document, _ = read_text(yaml.safe_dump(data, allow_unicode=True), "p.yml")
    if document is not None:
        findings = validate(document)
        places = {node.here for _, node in walk(document)} | {node.place for _, node in walk(document)}
        assert {finding.place for finding in findings} <= places
        assert list(findings) == sorted(findings, key=lambda finding: finding.sort_key)
