"""The documents at their word: each contradiction is found by the rule that the table names, right sums are left alone."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bayplan import checkup, pipeline
from bayplan.workspace import workspace

if TYPE_CHECKING:
    from bayplan.finding import Finding

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "contradictions.md"
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TABLE.read_text(encoding="utf-8").splitlines()
    if re.match(r"\| (bev|sut|acgs|fix)-\d", line)
]
KINDS = {"bev": 25, "sut": 23, "acgs": 13, "fix": 5}


@cache
def checked(where: str) -> tuple[Finding, ...]:
    """Return what is found in a policy: `name` or `name, environment`."""
    name, _, env = where.partition(", ")
    space = workspace(ROOT / "policies" / name)
    policy = pipeline.read(space, env or None)
    if any(one.is_error for one in policy.findings):
        return policy.findings
    return checkup.check(space, policy)


def test_the_table_has_every_row_once() -> None:
    expected = [f"{kind}-{number:02}" for kind, many in KINDS.items() for number in range(1, many + 1)]
    assert sorted(row[0] for row in ROWS) == sorted(expected)
    assert sum(row[3] == "*none*" for row in ROWS) == 3


@pytest.mark.parametrize("row", [row for row in ROWS if row[3] not in ("*none*", "-")], ids=lambda row: row[0])
def test_it_is_found_with_its_sum(row: list[str]) -> None:
    _, _, where, rule, words = row
    found = [one for one in checked(where) if one.rule == rule]
    fitting = [one for one in found if words in f"{one.subject} {one.message} {one.arithmetic}"]
    assert fitting, [f"{one.subject} {one.message} {one.arithmetic}" for one in found]
    assert all(one.place.line and one.place.column for one in fitting)
    assert all(one.remedy or one.paste or one.write for one in fitting)


@pytest.mark.parametrize("row", [row for row in ROWS if row[3] == "*none*"], ids=lambda row: row[0])
def test_a_right_sum_raises_nothing(row: list[str]) -> None:
    _, _, where, _, words = row
    rule, _, about = words.partition(" ")
    assert checked(where)
    assert [one.message for one in checked(where) if one.rule == rule and about in one.message] == []


@pytest.mark.parametrize("row", [row for row in ROWS if row[3] == "-"], ids=lambda row: row[0])
def test_what_is_about_another_program_says_why(row: list[str]) -> None:
    assert row[0].startswith("fix-")
    assert row[4].startswith("its code ")
