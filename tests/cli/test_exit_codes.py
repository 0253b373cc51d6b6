"""Each exit code, reached by what really happens to people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Bayplan


def test_0_a_plan_that_holds(bayplan: Bayplan) -> None:
    done = bayplan("plan", "policies/bev", "--no-save")
    assert done.code == 0
    assert "\nholds, " in done.out


def test_2_only_where_it_is_asked_for(bayplan: Bayplan, small: Path) -> None:
    assert bayplan("plan", small).code == 0
    assert bayplan("plan", small, "--detailed-exitcode").code == 2
    (small / "policy.yml").write_text("nodes: {a: {cpus: 8, memory: 16GiB}}\n")
    assert bayplan("plan", small, "--detailed-exitcode").code == 0


def test_3_a_plan_that_cannot_hold(bayplan: Bayplan) -> None:
    done = bayplan("plan", "policies/bev-as-written", "--no-save", "--detailed-exitcode")
    assert done.code == 3
    assert "does not hold" in done.out


@pytest.mark.parametrize("verb", ["check", "compile", "plan"])
def test_3_more_is_asked_than_there_is(bayplan: Bayplan, small: Path, tmp_path: Path, verb: str) -> None:
    file = small / "policy.yml"
    file.write_text(file.read_text().replace("2GiB", "20GiB"))
    assert bayplan(verb, small).code == 3
    assert not (tmp_path / "compiled").exists()


@pytest.mark.parametrize("verb", ["analyze", "plan", "compile", "check"])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nodes: {a: [", "source/yaml"),
        ("nodes: {a: {cpus: 8, memory: 16GiB}}\nnodse: {}\n", "did you mean 'nodes'?"),
        ("nodes: {a: {cpus: 8, memory: 16G}}\n", "16GiB"),
    ],
)
def test_1_a_policy_that_cannot_be_read(bayplan: Bayplan, small: Path, verb: str, text: str, said: str) -> None:
    (small / "policy.yml").write_text(text)
    done = bayplan(verb, small)
    assert done.code == 1
    assert said in done.out + done.err
    assert "Traceback" not in done.err
    assert "policy.yml:" in done.out + done.err


@pytest.mark.parametrize("verb", ["analyze", "plan", "compile", "check"])
def test_1_no_policy_there(bayplan: Bayplan, tmp_path: Path, verb: str) -> None:
    done = bayplan(verb, tmp_path / "nothing")
    assert (done.code, done.out) == (1, "")
    assert "does not exist" in done.err


def test_1_nowhere_to_write(bayplan: Bayplan, small: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    done = bayplan("compile", small, "--out", tmp_path / "file")
    assert (done.code, done.out) == (1, "")
    assert "nothing was changed there" in done.err


def test_4_a_newer_decision(bayplan: Bayplan, small: Path, tmp_path: Path) -> None:
    bayplan("compile", small)
    decision = tmp_path / "compiled" / "small" / "default" / "placement.yml"
    decision.write_text("schema_version: 2\nsomething: else\n")
    for verb in (["plan"], ["compile"], ["compile", "--check"], ["check"]):
        done = bayplan(*verb, small)
        assert (done.code, "newer bayplan" in done.err) == (4, True), verb
    assert decision.read_text() == "schema_version: 2\nsomething: else\n"


def test_4_a_newer_manifest(bayplan: Bayplan, small: Path, tmp_path: Path) -> None:
    bayplan("compile", small)
    manifest = tmp_path / "compiled" / "small" / "default" / "manifest.json"
    manifest.write_text('{"schema_version": 2, "files": {}}')
    assert bayplan("compile", small).code == 4
    assert manifest.read_text() == '{"schema_version": 2, "files": {}}'


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (["plan"], "Missing argument 'POLICY'"),
        (["plan", "policies/acgs", "--colour"], "No such option"),
        (["plan", "policies/acgs"], "choose one with --env: development, production, staging"),
        (["plan", "policies/acgs", "--env", "prod"], "there is no environment 'prod'"),
        (["plan", "policies/home-lab", "--format", "yaml"], "'yaml' is not one of"),
        (["analyze", "policies/home-lab", "--top", "0"], "--top"),
        (["explain", "policies/home-lab", "jellyfish"], "no service 'jellyfish'"),
        (["completion", "cmd"], "'cmd' is not one of"),
        (["import", "--out", "x"], "Missing option '--node'"),
        (["import", "--node", "nas", "--out", "x"], "write NAME=FILE"),
        (["import", "--node", "nas:4,16=a.yml", "--out", "x"], "16GiB"),
        (["plam"], "plan"),
    ],
)
def test_64_wrong_usage(bayplan: Bayplan, call: list[str], said: str) -> None:
    done = bayplan(*call)
    assert (done.code, done.out) == (64, "")
    assert said in done.err
    assert "Traceback" not in done.err
