"""`bayplan import`: a policy from Compose files, which changes nothing yet."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from bayplan.policy.fleet import read_policy

from .conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Bayplan

COMPOSE = ROOT / "policies" / "bev" / "compose"


def test_the_five_files_of_a_fleet(bayplan: Bayplan, tmp_path: Path) -> None:
    out = tmp_path / "policies" / "mine"
    there = shutil.copytree(COMPOSE, tmp_path / "compose")
    done = bayplan(
        "import",
        *("--node", f"thanos:16,64GiB={there / 'thanos.yml'}"),
        *("--node", f"oracle1:4,24GiB={there / 'oracle1.yml'}"),
        *("--node", f"starlord:24,61GiB={','.join(str(there / f'{name}.yml') for name in ('companion', 'development', 'starlord-vault'))}"),
        *("--out", out),
    )  # fmt: skip
    assert (done.code, done.out) == (0, "")
    assert sorted(path.name for path in out.iterdir()) == ["policy.schema.json", "policy.yml"]
    assert not [one for one in read_policy(out).findings if one.is_error]
    analysed = bayplan("analyze", out, "--format", "json")
    assert analysed.code == 0
    nodes = {node["node"]: node for node in json.loads(analysed.out)["nodes"]}
    assert {name: node["services"] for name, node in nodes.items()}.keys() == {"thanos", "oracle1", "starlord"}
    assert (nodes["thanos"]["services"], nodes["oracle1"]["services"]) == (53, 51)
    memory = next(row for row in nodes["thanos"]["resources"] if row["resource"] == "memory")
    assert memory["charges"]["declared"] == int(108.75 * 2**30)


def test_what_was_imported_changes_nothing(bayplan: Bayplan, tmp_path: Path) -> None:
    """Plan of the plain import: nothing moves, and no container is replaced."""
    shutil.copytree(ROOT / "policies" / "home-lab" / "media", tmp_path / "media")
    done = bayplan("import", "--node", "nas:8,32GiB=media/compose.yml", "--out", "policies/mine", here=tmp_path)
    assert done.code == 0
    assert "media" in (tmp_path / "policies" / "mine" / "policy.yml").read_text()
    planned = bayplan("plan", "policies/mine", "--format", "json", "--no-save", here=tmp_path)
    data = json.loads(planned.out)
    assert {kind: many for kind, many in data["counts"].items() if kind in {"move", "recreate", "start", "stop"}} == {}


@pytest.mark.parametrize("there", ["folder", "file"])
def test_what_exists_is_not_overwritten(bayplan: Bayplan, tmp_path: Path, there: str) -> None:
    out = tmp_path / "mine"
    if there == "folder":
        out.mkdir()
        (out / "policy.yml").write_text("mine")
    else:
        out.write_text("mine")
    done = bayplan("import", "--node", f"a:4,8GiB={COMPOSE / 'starlord-vault.yml'}", "--out", out)
    assert (done.code, done.out) == (1, "")
    assert "exists already" in done.err
    assert (out / "policy.yml" if there == "folder" else out).read_text() == "mine"


def test_an_empty_folder_is_taken(bayplan: Bayplan, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    file = shutil.copy(COMPOSE / "starlord-vault.yml", tmp_path)
    call = ("import", "--node", f"a:4,8GiB={file}", "--out", tmp_path / "mine")
    assert bayplan(*call).code == 0
    assert (tmp_path / "mine" / "policy.yml").is_file()


@pytest.mark.parametrize(
    "text",
    ["services: {a: [", "services: {}\n", "volumes: {}\n", "[]", "", "services: {a: {image: x, networks: [n]}}\n"],
)
def test_a_broken_file_writes_nothing(bayplan: Bayplan, tmp_path: Path, text: str) -> None:
    (tmp_path / "compose.yml").write_text(text)
    done = bayplan("import", "--node", "a:4,8GiB=compose.yml", "--out", "policies/mine", here=tmp_path)
    assert (done.code, done.out) == (1, "")
    assert "compose.yml" in done.err
    assert "nothing was written" in done.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["compose.yml"]


def test_a_file_that_is_not_there(bayplan: Bayplan, tmp_path: Path) -> None:
    done = bayplan("import", "--node", "a:4,8GiB=nothing.yml", "--out", "mine", here=tmp_path)
    assert done.code == 1
    assert "nothing.yml" in done.err
    assert not (tmp_path / "mine").exists()


def test_what_no_policy_may_read_is_not_imported(bayplan: Bayplan, tmp_path: Path) -> None:
    out = tmp_path / "policies" / "mine"
    done = bayplan("import", "--node", f"thanos:16,64GiB={COMPOSE / 'thanos.yml'}", "--out", out)
    assert done.code == 1
    assert "source/outside" in done.err
    assert not out.exists()
