"""Data on stdout, talk on stderr; JSON that parses; no colours where nobody looks."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Bayplan

ESCAPE = "\x1b"


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (["analyze", "policies/home-lab", "--format", "json"], "analyze"),
        (["analyze", "policies/home-lab", "--format", "json", "--at", "to-be", "--by", "service"], "analyze"),
        (["plan", "policies/home-lab", "--no-save", "--format", "json"], "plan"),
        (["plan", "policies/acgs", "--env", "staging", "--no-save", "--format", "json"], "plan"),
        (["check", "policies/home-lab", "--format", "json"], "check"),
    ],
)
def test_json(bayplan: Bayplan, call: list[str], kind: str) -> None:
    data = json.loads(bayplan(*call).out)
    assert (data["schema_version"], data["kind"]) == (1, kind)


def test_json_of_what_cannot_hold(bayplan: Bayplan, small: Path) -> None:
    file = small / "policy.yml"
    text = file.read_text().replace("2GiB", "10GiB").replace("1GiB", "10GiB").replace("placement: b", "placement: a")
    file.write_text(text)
    done = bayplan("plan", small, "--format", "json", "--no-save")
    data = json.loads(done.out)
    assert (done.code, data["holds"], bool(data["conflicts"])) == (3, False, True)


def test_json_of_findings_of_a_broken_policy(bayplan: Bayplan, small: Path) -> None:
    (small / "policy.yml").write_text("nodes: {a: [\n")
    done = bayplan("check", small, "--format", "json")
    (finding,) = json.loads(done.out)["findings"]
    assert (done.code, finding["rule"], finding["severity"], finding["line"]) == (1, "source/yaml", "error", 2)


def test_the_words_of_people_are_printed_as_they_are(bayplan: Bayplan, small: Path) -> None:
    """Square brackets and colons are markup to the library that prints."""
    file = small / "policy.yml"
    file.write_text(file.read_text().replace("placement: a", 'placement: a, why: "see [red] and [/] and :fire:"'))
    for call in (["explain", small, "small/api"], ["plan", small, "--no-save"]):
        assert "see [red] and [/] and :fire:" in bayplan(*call).out


@pytest.mark.parametrize("verb", ["analyze", "plan", "check", "explain"])
def test_no_colours_where_nobody_looks(program: Callable[..., Any], verb: str) -> None:
    arguments = {"plan": ["--no-save"], "explain": ["media/jellyfin"]}.get(verb, [])
    done = program(verb, "policies/home-lab", *arguments, TERM="xterm-256color")
    assert done.returncode == 0
    assert ESCAPE not in done.stdout + done.stderr
    assert max(map(len, done.stdout.splitlines())) > 80 or verb in {"explain", "check"}


def test_no_color_is_heard(program: Callable[..., Any]) -> None:
    for env in ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, {"FORCE_COLOR": "1"}):
        done = program("analyze", "policies/home-lab", TERM="xterm-256color", **env)
        colours = [
            part for part in done.stdout.split(ESCAPE)[1:] if part.startswith(("[31", "[32", "[33", "[34", "[1;31"))
        ]
        assert bool(colours) is ("NO_COLOR" not in env)


def test_a_reader_who_has_seen_enough(program: Callable[..., Any]) -> None:
    bayplan = Path(sys.executable).with_name("bayplan")
    for call in ("schema", "analyze policies/home-lab", "plan policies/home-lab --no-save --format json"):
        # The reader is gone before the first byte: how much a pipe takes decides nothing.
        script = f"set -o pipefail; {bayplan} {call} | true"
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False,
                              cwd=Path(__file__).parents[2])  # fmt: skip
        assert (done.returncode, done.stderr) == (0, ""), call
    assert program("--version").returncode == 0


def test_the_schema_is_a_schema(bayplan: Bayplan) -> None:
    schema = json.loads(bayplan("schema").out)
    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(bayplan: Bayplan, shell: str) -> None:
    done = bayplan("completion", shell)
    assert done.code == 0
    assert "_BAYPLAN_COMPLETE" in done.out


def test_completion_completes(program: Callable[..., Any]) -> None:
    done = program(_BAYPLAN_COMPLETE="bash_complete", COMP_WORDS="bayplan an", COMP_CWORD="1")
    assert done.stdout == "plain,analyze\n"


def test_explain_tells_each_layer(bayplan: Bayplan) -> None:
    done = bayplan("explain", "policies/bev", "elasticsearch")
    assert done.code == 0
    assert "limits.memory = 4 GiB  services.elasticsearch at policies/bev/services.yml:" in done.out
    assert "(heap is 2g today; half of the limit)" in done.out
    assert "bev/elasticsearch runs on thanos today" in done.out


def test_markdown(bayplan: Bayplan) -> None:
    done = bayplan("plan", "policies/home-lab", "--no-save", "--format", "markdown")
    assert done.code == 0
    assert done.out.startswith("# Plan for home-lab (default)\n")
    tables = [block.splitlines() for block in done.out.split("\n\n") if block.startswith("|")]
    assert tables
    for table in tables:
        assert len({re.subn(r"(?<!\\)\|", "", line)[1] for line in table}) == 1


def test_a_plan_is_saved_by_its_digest(bayplan: Bayplan, small: Path, tmp_path: Path) -> None:
    done = bayplan("plan", small)
    (folder,) = (tmp_path / "plans").iterdir()
    assert f"plans/{folder.name}/PLAN.md" in done.err
    assert sorted(path.name for path in folder.iterdir()) == [
        "PLAN.md", "files", "inventory.yml", "manifest.json", "plan.json", "playbook.yml", "rollback.yml", "rollout.json",
    ]  # fmt: skip
    assert json.loads((folder / "plan.json").read_text())["fleet"] == "small"
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    bayplan("plan", small)
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert [path.name for path in (tmp_path / "plans").iterdir()] == [folder.name]
