"""The quick test says of all data what jsonschema says, and jsonschema is asked of nothing that is sound."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from bayplan.compose.schema import definitions
from bayplan.policy.folder import read_folder
from bayplan.policy.validate import schema_text
from bayplan.schema import Schema
from bayplan.source import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

POLICIES = Path(__file__).parents[3] / "policies"
POLICY: dict[str, Any] = json.loads(schema_text())
SERVICE: dict[str, Any] = {"$defs": definitions(), **definitions()["service"]}
SERVICES: dict[str, Any] = {"$defs": definitions(), "additionalProperties": {"$ref": "#/$defs/service"}}
OTHERS = (
    *(None, True, False, 0, 1, -1, 1.0, 0.5, "", "a", "n[01:02]", "1GiB", "5m", "50%", "x-a", "$A"),
    *([], {}, ["a"], ["a", "a"], [1, "a"], {"a": 1}, {"x-a": 1}, {"why": ""}, {"cpus": 1}, [[]], [{}]),
)
WHOLE: dict[str, Any] = {
    "image": "a", "build": {"context": ".", "args": {"A": 1}}, "command": ["a"], "cpus": 0.5, "gpus": "all",
    "ports": ["80", 80, {"target": 80, "published": "80"}], "volumes": ["a:/a", {"type": "bind", "source": "a"}],
    "environment": {"A": None, "B": 1}, "labels": ["a=b"], "depends_on": {"b": {"condition": "service_healthy"}},
    "deploy": {"replicas": 1, "resources": {"limits": {"cpus": "1", "memory": "1g", "pids": 5},
               "reservations": {"devices": [{"capabilities": ["gpu"], "count": 1}]}}},
    "healthcheck": {"test": ["CMD", "a"], "interval": "30s", "retries": 3}, "ulimits": {"nofile": {"soft": 1, "hard": 2}},
    "networks": {"a": {"ipv4_address": "10.0.0.1", "priority": 1}, "b": None}, "x-a": {"b": 1}, "init": True,
    "logging": {"driver": "a", "options": {"b": 1}}, "secrets": ["a", {"source": "b", "mode": 0o400}],
}  # fmt: skip


def faults(found: Iterator[Any]) -> list[str]:
    """Return what jsonschema has against something, in words and in a fixed order."""
    return sorted(f"{list(one.absolute_path)} {list(one.absolute_schema_path)} {one.message}" for one in found)


def spots(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of each part of the data, its root too."""
    yield path
    for key, value in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
        yield from spots(value, (*path, key))


def changed(data: Any, chance: random.Random) -> Any:
    """Return the data with another value, or another key, somewhere."""
    data = {"": copy.deepcopy(data)}
    *way, last = chance.choice([("", *path) for path in spots(data[""])])
    holder: Any = data
    for step in way:
        holder = holder[step]
    value = holder[last]
    if isinstance(value, dict) and chance.random() < 0.5:
        value[chance.choice(["web", "cpu", "x-b", "why", "A", "a b", ""])] = chance.choice(OTHERS)
    else:
        holder[last] = chance.choice(OTHERS)
    return data[""]


def policies() -> list[Any]:
    """Return the documents of some policies."""
    return [plain(read_folder(POLICIES / name)[0]) for name in ("reference", "home-lab", "gpu-shop", "acgs")]


@pytest.mark.parametrize(
    ("schema", "sound"),
    [(POLICY, policies()), (SERVICE, [WHOLE]), (SERVICES, [{"web": WHOLE, "db": WHOLE}])],
    ids=["policy", "service", "services"],
)
def test_what_is_changed_somewhere_has_the_faults_that_jsonschema_finds(
    schema: dict[str, Any], sound: list[Any]
) -> None:
    quick, slow = Schema(schema), Draft202012Validator(schema)
    chance = random.Random(1)
    wrong = 0
    for _ in range(200):
        data = chance.choice(sound)
        for _ in range(chance.randrange(1, 4)):
            data = changed(data, chance)
        found = faults(quick.faults(data))
        assert found == faults(slow.iter_errors(data)), data
        wrong += bool(found)
    assert 100 < wrong < 200


PARTS = st.recursive(
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(
                ["object", "array", "string", "integer", "number", "boolean", "null", ["string", "integer"]]
            ),
            "enum": st.sampled_from([["a", None], ["a", "b"]]),
            "pattern": st.sampled_from(["^a", "b$", "x"]),
            "minLength": st.integers(0, 2),
            "maxLength": st.integers(2, 6),
            "minimum": st.integers(-1, 1),
            "maximum": st.integers(0, 2),
            "exclusiveMinimum": st.integers(-1, 1),
            "minItems": st.integers(0, 2),
            "maxItems": st.integers(0, 2),
            "minProperties": st.integers(0, 2),
            "required": st.sampled_from([["a"], ["a", "b"]]),
        },
    )
    | st.booleans(),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "items": inner,
            "prefixItems": st.lists(inner, min_size=1, max_size=2),
            "propertyNames": inner,
            "properties": st.dictionaries(st.sampled_from("ab"), inner, min_size=1),
            "patternProperties": st.dictionaries(st.sampled_from(["^a", "x"]), inner, min_size=1),
            "additionalProperties": inner,
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "oneOf": st.lists(inner, min_size=1, max_size=3),
            "if": inner,
            "then": inner,
            "else": inner,
            "$ref": st.sampled_from(["#/$defs/words", "#/$defs/tree"]),
        },
    ),
    max_leaves=6,
)
DATA = st.recursive(
    st.sampled_from([None, True, False, 0, 1, 2, -1, 0.5, 1.0, "", "a", "ab", "xb"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "ax", "c"]), inner, max_size=3)
    ),
    max_leaves=6,
)
DEFINITIONS: dict[str, Any] = {
    "words": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
    "tree": {"additionalProperties": {"$ref": "#/$defs/tree"}, "type": ["object", "integer"]},
}


@given(PARTS, DATA)
@settings(max_examples=500, derandomize=True, deadline=None)
def test_any_schema_and_any_data(part: Any, data: Any) -> None:
    schema = {"$defs": DEFINITIONS, "allowed": part, **(part if isinstance(part, dict) else {})}
    assert faults(Schema(schema).faults(data)) == faults(Draft202012Validator(schema).iter_errors(data))


def test_a_keyword_without_a_test_is_refused() -> None:
    with pytest.raises(ValueError, match="no test is written for the keyword contains, not"):
        Schema({"properties": {"a": {"not": {}, "contains": True}}})


def test_jsonschema_goes_into_what_is_wrong_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    follow: Any = Draft202012Validator.VALIDATORS["$ref"]

    def counting(validator: Any, reference: str, data: Any, part: Any) -> Any:
        asked.append(reference)
        return follow(validator, reference, data, part)

    monkeypatch.setitem(Draft202012Validator.VALIDATORS, "$ref", counting)
    schema = Schema(SERVICES)
    many: dict[str, Any] = {f"s{n}": WHOLE for n in range(200)}
    assert list(schema.faults(many)) == []
    assert asked == []
    found = list(schema.faults({**many, "bad": {**WHOLE, "init": 3}}))
    assert [list(one.absolute_path) for one in found] == [["bad", "init"]]
    assert asked.count("#/$defs/service") == 1
