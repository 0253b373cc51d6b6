"""`bayplan compile`: the same bytes each time, and what is stale is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Bayplan


@pytest.fixture
def root(bayplan: Bayplan, small: Path, tmp_path: Path) -> Path:
    """Return the compiled tree of the small policy."""
    done = bayplan("compile", small)
    assert (done.code, done.out) == (0, "")
    assert "+ a/small/compose.yaml" in done.err
    return tmp_path / "compiled" / "small" / "default"


def snapshot(root: Path) -> dict[str, tuple[str, int]]:
    files = [path for path in sorted(root.rglob("*")) if path.is_file()]
    return {str(path.relative_to(root)): (path.read_text(), path.stat().st_mtime_ns) for path in files}


def test_it_writes_a_file_for_each_node(root: Path) -> None:
    own = [f"{node}/{file}" for node in ("a", "b") for file in ("daemon.json", "small/compose.yaml")]
    assert sorted(snapshot(root)) == [*own, "manifest.json", "placement.yml"]


def test_compiling_again_changes_nothing(bayplan: Bayplan, small: Path, root: Path) -> None:
    before = snapshot(root)
    for extra in ([], ["--replan"]):
        done = bayplan("compile", small, *extra)
        assert done.code == 0
        assert "no files changed" in done.err
        assert snapshot(root) == before


def test_check_sees_an_edited_file(bayplan: Bayplan, small: Path, root: Path) -> None:
    assert bayplan("compile", small, "--check").code == 0
    file = root / "b" / "small" / "compose.yaml"
    file.write_text(file.read_text().replace("1g", "8g"))
    edited = snapshot(root)
    done = bayplan("compile", small, "--check")
    assert (done.code, done.out) == (1, "")
    assert "  ~ b/small/compose.yaml\n" in done.err
    assert "stale: run bayplan compile" in done.err
    assert snapshot(root) == edited
    assert bayplan("compile", small).code == 0
    assert bayplan("compile", small, "--check").code == 0


def test_check_sees_an_edited_policy(bayplan: Bayplan, small: Path, root: Path) -> None:
    policy = small / "policy.yml"
    policy.write_text(policy.read_text().replace("memory: 1GiB", "memory: 3GiB"))
    done = bayplan("compile", small, "--check")
    assert done.code == 1
    assert "  ~ b/small/compose.yaml\n" in done.err
    assert "  ~ a/small" not in done.err
    assert bayplan("compile", small).code == 0
    assert 'memory: "3g"  # services.web' in (root / "b" / "small" / "compose.yaml").read_text()


def test_check_sees_a_decision_that_no_longer_holds(bayplan: Bayplan, small: Path, root: Path) -> None:
    policy = small / "policy.yml"
    policy.write_text(policy.read_text().replace("placement: b", "placement: a"))
    assert bayplan("compile", small, "--check").code == 1
    done = bayplan("compile", small)
    assert "decided anew" in done.err
    assert "  - b/small/compose.yaml\n" in done.err
    assert not (root / "b").exists()
    assert bayplan("compile", small, "--check").code == 0


def test_check_without_a_tree(bayplan: Bayplan, small: Path, tmp_path: Path) -> None:
    assert bayplan("compile", small, "--check").code == 1
    assert not (tmp_path / "compiled").exists()


@pytest.mark.parametrize("text", ["", "<<<<<<< ours\n", "schema_version: 1\n", "schema_version: 1\nstanding: [a]\n",
                                  "schema_version: 1\nstanding: {small/api: {gpus: [0]}}\n",
                                  "schema_version: 1\nstanding: {small/api#x: a}\n",
                                  "schema_version: old\nstanding: {}\n"])  # fmt: skip
def test_a_decision_that_cannot_be_read_is_not_made_anew_unasked(
    bayplan: Bayplan, small: Path, root: Path, text: str
) -> None:
    (root / "placement.yml").write_text(text)
    before = snapshot(root)
    done = bayplan("compile", small)
    assert done.code == 1
    assert "placement.yml" in done.err
    assert "Traceback" not in done.err
    assert snapshot(root) == before
    assert bayplan("compile", small, "--replan").code == 0
    assert bayplan("compile", small, "--check").code == 0


def test_a_hand_made_file_stays(bayplan: Bayplan, small: Path, root: Path) -> None:
    (root / "b" / "small" / "notes.md").write_text("mine")
    policy = small / "policy.yml"
    policy.write_text(policy.read_text().replace("placement: b", "placement: a"))
    bayplan("compile", small)
    mine = "b/small/notes.md"
    assert sorted(snapshot(root)) == ["a/daemon.json", "a/small/compose.yaml", mine, "manifest.json", "placement.yml"]
