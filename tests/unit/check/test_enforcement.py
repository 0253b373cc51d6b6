"""The table of what enforces a policy is whole, and true of what is compiled."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bayplan import pipeline
from bayplan.check.enforced import row_of
from bayplan.check.enforcement import TABLE, By, page
from bayplan.policy.folder import read_folder
from bayplan.workspace import workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bayplan.source import Node

ROOT = Path(__file__).parents[3]
SCHEMA: dict[str, Any] = json.loads((ROOT / "generator/bayplan/policy/schema.json").read_text(encoding="utf-8"))
COMPILED = "\n".join(
    path.read_text(encoding="utf-8") for path in sorted((ROOT / "compiled").rglob("*")) if path.is_file()
)
HELD = (By.KERNEL, By.DOCKER, By.SYSTEMD)


def keys(schema: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the paths of the policy's keys that have nothing below them."""
    while "$ref" in schema:
        found = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]
        schema = {**found, **{key: value for key, value in schema.items() if key != "$ref"}}
    below = [(key, child) for key, child in (schema.get("properties") or {}).items() if key != "why"]
    if isinstance(schema.get("additionalProperties"), dict):
        below.append(("*", schema["additionalProperties"]))
    items = schema.get("items")
    if isinstance(items, dict) and ("$ref" in items or "properties" in items):
        below.append(("[]", items))
    if not below:
        yield ".".join(path)
    for key, child in below:
        if len(path) < 9:
            yield from keys(child, (*path, key))


KEYS = sorted(set(keys(SCHEMA)))


def test_every_key_of_the_language_has_a_row() -> None:
    assert len(KEYS) > 200
    assert [key for key in KEYS if row_of(key) is None] == []


def test_every_row_speaks_of_a_key_of_the_language() -> None:
    known = {".".join(key.split(".")[:depth]) for key in KEYS for depth in range(1, 10)}
    rows = {row.key for row in TABLE if not row.key.startswith("services.*.compose.")}
    assert sorted(rows - known - {"nodes.*.core_map.os"}) == []
    assert len({row.key for row in TABLE}) == len(TABLE)


def test_the_longest_row_speaks_for_a_key() -> None:
    cases = {
        "services.*.limits.memory": "services.*.limits.memory",
        "services.*.limits.licences": "services.*.limits.*",
        "nodes.*.core_map.os": "nodes.*.core_map.os",
        "nodes.*.core_map.db": "nodes.*.core_map",
        "rollout.stages.[].approvals": "rollout.stages.[].approvals",
        "rollout.stages.[].name": "rollout",
    }
    assert {key: row.key for key in cases if (row := row_of(key))} == cases
    assert row_of("nothing.of.the.kind") is None


def test_the_page_is_made_from_the_table() -> None:
    assert (ROOT / "docs" / "enforcement.md").read_text(encoding="utf-8") == page()


@pytest.mark.parametrize("row", [row for row in TABLE if row.v1.seen], ids=lambda row: row.key)
def test_what_a_row_says_is_written_is_written(row: Any) -> None:
    assert row.v1.by in (*HELD, By.PROOF, By.ADVICE)
    assert row.v1.seen in COMPILED
    assert row.v2.seen in COMPILED


@pytest.mark.parametrize(
    "row",
    [row for row in TABLE if row.v1.by is By.NOTHING and not row.key.startswith("services.*.compose.")],
    ids=lambda row: row.key,
)
def test_what_nothing_holds_changes_no_file(row: Any, tmp_path: Path, dumped: Callable[[Node], str]) -> None:
    """Take the key out of the reference, which has every key: not a byte of what is compiled is another one."""
    tree, _ = read_folder(ROOT / "policies" / "reference")
    without, taken = dropped(tree, row.key.split("."))
    assert taken
    assert files(tmp_path / "with", dumped(tree)) == files(tmp_path / "without", dumped(without))


def dropped(tree: Node, path: list[str]) -> tuple[Node, int]:
    """Return a tree without what stands at a path, and how often it stood there."""
    if tree.is_list:
        pairs = [dropped(item, path[1:]) for item in tree]
        return tree.with_value(tuple(item for item, _ in pairs)), sum(taken for _, taken in pairs)
    kept, taken = {}, 0
    for key, child in tree.items():
        if path[0] not in ("*", key):
            kept[key] = child
        elif len(path) == 1:
            taken += 1
        else:
            kept[key], more = dropped(child, path[1:])
            taken += more
    return (tree.with_value(kept), taken) if tree.is_map else (tree, 0)


def files(folder: Path, text: str) -> dict[str, str]:
    """Return what is compiled of the reference with this policy, where everything stands as it is recorded."""
    shutil.copytree(ROOT / "policies" / "reference" / "compose", folder / "reference" / "compose")
    (folder / "reference" / "policy.yml").write_text(text, encoding="utf-8")
    space = workspace(folder / "reference", out=ROOT / "compiled" / "reference")
    policy = pipeline.read(space, "production")
    assert [str(one) for one in policy.findings if one.is_error] == []
    placement, _ = pipeline.recorded(space, policy)
    assert placement is not None
    return pipeline.compiled(policy, placement)
