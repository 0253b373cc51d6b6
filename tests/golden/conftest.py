"""Every policy of the repository, compiled once: each environment of each, as `bayplan compile` would."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bayplan import pipeline
from bayplan.render.tree import write
from bayplan.source import read_yaml
from bayplan.workspace import workspace

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayplan.model.placement import Placement
    from bayplan.policy.fleet import Policy

ROOT = Path(__file__).parents[2]
AS_WRITTEN = "-as-written"
"""How the names of policies end that take a document at its word: they are there to be refused."""


def environments(folder: Path) -> list[str]:
    """Return the environments that the files of a policy name; `default` if none does."""
    found: set[str] = set()
    for file in sorted(folder.glob("*.yml")):
        tree, _ = read_yaml(file)
        section = tree.get("environments") if tree else None
        found.update(name for name, _ in (section.items() if section else ()))
    return sorted(found) or ["default"]


CASES = [
    f"{folder.name}/{env}"
    for folder in sorted((ROOT / "policies").iterdir())
    if folder.is_dir() and not folder.name.endswith(AS_WRITTEN)
    for env in environments(folder)
]


@dataclass(frozen=True)
class Compiled:
    """A policy with its decision, and the tree that was written."""

    policy: Policy
    placement: Placement
    texts: dict[str, str]
    root: Path

    @property
    def files(self) -> dict[str, Path]:
        """Return `node/project` → Compose file."""
        return {str(path.parent.relative_to(self.root)): path for path in sorted(self.root.rglob("compose.yaml"))}


def compile_(folder: Path, env: str, out: Path, name: str) -> Compiled:
    space = workspace(folder, ROOT / "inventory" / name, out)
    policy = pipeline.read(space, env)
    placement, _ = pipeline.decide_or_keep(space, policy, replan=False)
    texts = pipeline.compiled(policy, placement)
    write(space.compiled / env, texts, {})
    return Compiled(policy, placement, texts, space.compiled / env)


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Compiled]:
    """Return what compiles `policy/environment`, once."""

    @cache
    def one(case: str) -> Compiled:
        name, env = case.split("/")
        return compile_(ROOT / "policies" / name, env, tmp_path_factory.mktemp("compiled"), name)

    return one


@pytest.fixture(scope="session")
def env_file(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Return what makes a file with a value for each variable of a Compose file."""

    def make(path: Path) -> Path:
        names = sorted(set(re.findall(r"(?<!\$)\$\{?([A-Za-z_][A-Za-z0-9_]*)", path.read_text())))
        file = tmp_path_factory.mktemp("env") / "env"
        values = [f"{name}={'192.0.2.1' if name.startswith('BAYPLAN_ADDRESS_') else 'dummy'}\n" for name in names]
        file.write_text("".join(values))
        return file

    return make


@pytest.fixture(scope="session")
def compose() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return what calls the real Docker Compose; it sees no variable of this process."""
    beside = Path(sys.executable).with_name("docker-compose")
    found = str(beside) if beside.exists() else shutil.which("docker-compose")
    assert found, "docker-compose is missing: install the development lock"

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        env = {"PATH": os.environ["PATH"], "HOME": "/nobody"}
        return subprocess.run([found, *arguments], capture_output=True, text=True, check=False, env=env)

    return call
