"""Rules and keys are listed and explained; what is misspelt is answered with what was meant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bayplan import pages

if TYPE_CHECKING:
    from .conftest import Bayplan

ROOT = Path(__file__).parents[2]


def test_rules_are_listed_with_how_much_they_matter(bayplan: Bayplan) -> None:
    lines = bayplan("rules").out.splitlines()
    assert len(lines) == len(pages.every())
    assert "error" in next(line for line in lines if "capacity/pools-over-nodes" in line)
    assert [line.split()[0] for line in bayplan("rules", "capacity/pools-*").out.splitlines()] == ["error"]
    family = bayplan("rules", "capacity").out.splitlines()
    assert family == [line for line in bayplan("rules", "capacity/*").out.splitlines() if line]
    assert 3 < len(family) < len(lines)


def test_rules_are_data(bayplan: Bayplan) -> None:
    data = json.loads(bayplan("rules", "enforce/nothing", "--format", "json").out)
    assert (data["schema_version"], data["kind"]) == (1, "rules")
    (rule,) = data["rules"]
    assert (rule["rule"], rule["severity"], rule["strict"]) == ("enforce/nothing", "note", "error")
    assert rule["summary"] == pages.every()["enforce/nothing"].summary


def test_the_index_is_markdown(bayplan: Bayplan) -> None:
    text = bayplan("rules", "capacity", "--format", "markdown").out
    assert text.startswith("# Rules\n")
    assert "| [capacity/pools-over-nodes](capacity/pools-over-nodes.md) | error | Pools are promised more" in text


def test_a_rule_is_explained_by_its_page(bayplan: Bayplan, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs" / "rules" / "capacity" / "pools-over-nodes.md").read_text(encoding="utf-8")
    assert bayplan("explain", "capacity/pools-over-nodes").out == page
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "100"}.items():
        monkeypatch.setenv(name, value)
    drawn = bayplan("explain", "capacity/pools-over-nodes").out
    assert "\x1b[" in drawn
    assert "```" not in drawn


def test_a_key_is_explained_by_schema_reference_and_enforcement(bayplan: Bayplan) -> None:
    text = bayplan("explain", "services.web.limits.memory").out
    assert text.splitlines()[:5] == [
        "services.*.limits.memory",
        "  Memory, in GiB or MiB.",
        "  takes: an amount of memory",
        "  example: 4GiB  or  512MiB",
        "  on Compose, cgroup v1: kernel (a cgroup file of the container); memory.limit_in_bytes",
    ]
    text = bayplan("explain", "expect").out
    assert "  keys: at, claims, copies, cpus, " in text
    assert "  in the reference, rollout.yml:" in text
    assert "    # What the authors believe. Each is computed" in text


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (["rules", "capcity"], "did you mean capacity?"),
        (["rules", "*/no-such-thing"], "bayplan rules lists all"),
        (["rules", "--format", "yaml"], "'yaml' is not one of"),
        (["explain"], "RULE | KEY | POLICY SERVICE"),
        (["explain", "capacity/pool-over-nodes"], "did you mean capacity/pools-over-nodes?"),
        (["explain", "pools-over-nodes"], "did you mean capacity/pools-over-nodes?"),
        (["explain", "policies/bev"], "a service needs POLICY SERVICE"),
        (["explain", "services.limits.memroy"], "did you mean services.limits.memory"),
        (["explain", "nonsense"], "there is no key nonsense; bayplan schema has all of them"),
        (["explain", "a", "b", "c"], "explain takes a rule, a key, or a policy and a service"),
    ],
)
def test_64_what_is_not_there_is_answered_with_what_was_meant(bayplan: Bayplan, call: list[str], said: str) -> None:
    done = bayplan(*call)
    assert (done.code, done.out) == (64, "")
    assert said in done.err
