"""The hooks for pre-commit: read as that program reads them, and run as it would run them."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from .conftest import Bayplan, Done

ROOT = Path(__file__).parents[2]
HOOKS: dict[str, dict[str, Any]] = {
    hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
}


def run(bayplan: Bayplan, hook: str, policy: Path) -> Done:
    """Return how a hook ends that was given a policy folder in `args`, and no file names."""
    program, *words = shlex.split(HOOKS[hook]["entry"])
    assert program == "bayplan"
    return bayplan(*words, policy)


def test_each_hook_installs_and_calls_the_program_alone() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    assert sorted(HOOKS) == ["bayplan-check", "bayplan-compile"]
    for hook in HOOKS.values():
        assert set(hook) == {"id", "name", "description", "entry", "language", "files", "pass_filenames"}
        assert (hook["language"], hook["pass_filenames"]) == ("python", False)
        assert shlex.split(hook["entry"])[0] in scripts


@pytest.mark.parametrize(
    ("file", "hooks"),
    [
        ("policies/shop/policy.yml", ["bayplan-check", "bayplan-compile"]),
        ("ops/policies/shop/.env", ["bayplan-check", "bayplan-compile"]),
        ("inventory/shop/observed/a.yml", ["bayplan-check", "bayplan-compile"]),
        ("compose.yaml", ["bayplan-check", "bayplan-compile"]),
        ("media/docker-compose.prod.yml", ["bayplan-check", "bayplan-compile"]),
        ("compiled/shop/default/placement.yml", ["bayplan-compile"]),
        ("src/policies.py", []),
        ("decompose.yml", []),
        ("README.md", []),
    ],
)
def test_which_files_call_which_hook(file: str, hooks: list[str]) -> None:
    assert [name for name, hook in HOOKS.items() if re.search(hook["files"], file)] == hooks


def test_check_stops_what_cannot_hold(bayplan: Bayplan, small: Path) -> None:
    assert run(bayplan, "bayplan-check", small).code == 0
    file = small / "policy.yml"
    file.write_text(file.read_text().replace("2GiB", "20GiB"))
    assert run(bayplan, "bayplan-check", small).code == 3


def test_compile_stops_what_is_stale_and_writes_nothing(bayplan: Bayplan, small: Path, tmp_path: Path) -> None:
    assert run(bayplan, "bayplan-compile", small).code == 1
    assert not (tmp_path / "compiled").exists()
    bayplan("compile", small)
    assert run(bayplan, "bayplan-compile", small).code == 0
