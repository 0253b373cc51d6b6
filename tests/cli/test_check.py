"""`bayplan check` says the same in every form, with files as the repository calls them and the same exit code."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bayplan import pipeline
from bayplan.cli.reports import FORMS, written
from bayplan.finding import Place, error
from bayplan.workspace import workspace

if TYPE_CHECKING:
    from .conftest import Bayplan

FINE = "2GiB", "2GiB"
VIOLATED = "2GiB", "20GiB"
BROKEN = "2GiB", "2G"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("change", "code"), [(FINE, 0), (VIOLATED, 3), (BROKEN, 1)], ids=["fine", "violated", "broken"]
)
def test_the_exit_code_does_not_depend_on_the_form(
    bayplan: Bayplan, small: Path, form: str, change: tuple[str, str], code: int
) -> None:
    file = small / "policy.yml"
    file.write_text(file.read_text().replace(*change))
    done = bayplan("check", small, "--format", form)
    assert (done.code, done.err) == (code, "")
    assert done.out.endswith("\n")


@pytest.mark.parametrize("form", FORMS)
def test_where_there_is_no_policy_nothing_is_printed(bayplan: Bayplan, tmp_path: Path, form: str) -> None:
    done = bayplan("check", tmp_path / "nothing", "--format", form)
    assert (done.code, done.out) == (1, "")


@pytest.mark.parametrize(("here", "given"), [(".", "policies/small"), ("policies", "small"), ("policies/small", ".")])
@pytest.mark.parametrize("form", ["github", "markdown", "sarif"])
def test_files_are_called_from_the_root_of_the_repository(
    bayplan: Bayplan, small: Path, tmp_path: Path, form: str, here: str, given: str
) -> None:
    (tmp_path / ".git").mkdir()
    (small / "policy.yml").write_text("nodes: {a: {cpus: 8, memory: 16G}}\n")
    done = bayplan("check", given, "--format", form, here=tmp_path / here)
    assert done.code == 1
    assert set(re.findall(r"[\w./-]*policy\.yml", done.out)) == {"policies/small/policy.yml"}


def test_a_fix_replaces_the_value_and_nothing_else(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(small.parents[1])
    policy = pipeline.read(workspace(Path("policies/small")))
    lines = (small / "policy.yml").read_text().splitlines()
    (row,) = [n for n, line in enumerate(lines) if "2GiB" in line]
    place = Place("policies/small/policy.yml", row + 1, lines[row].index("2GiB") + 1)
    finding = error("shop/full", place, "api", "is full", write="4GiB")
    (result,) = json.loads(written("sarif", policy, (finding,)))["runs"][0]["results"]
    (replaced,) = result["fixes"][0]["artifactChanges"][0]["replacements"]
    region = replaced["deletedRegion"]
    line = lines[region["startLine"] - 1]
    assert line[region["startColumn"] - 1 : region["endColumn"] - 1] == "2GiB"
    assert replaced["insertedContent"] == {"text": "4GiB"}


def test_a_file_that_is_gone_has_no_fix(small: Path) -> None:
    policy = pipeline.read(workspace(small))
    finding = error("shop/full", Place("nowhere.yml", 1, 1), "api", "is full", write="4GiB")
    (result,) = json.loads(written("sarif", policy, (finding,)))["runs"][0]["results"]
    assert "fixes" not in result
