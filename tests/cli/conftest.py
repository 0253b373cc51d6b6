"""What tests of the command line share: a call inside this process, and a call of the installed program."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from bayplan.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Done:
    """How a call ended: its exit code, data and talk."""

    code: int
    out: str
    err: str


class Bayplan(Protocol):
    """Calls bayplan in the folder `here`, with arguments as one text or in parts."""

    def __call__(self, *arguments: str | Path, here: Path | None = None) -> Done:
        """Return how it ended."""


@pytest.fixture
def bayplan(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Bayplan:
    """Return what calls bayplan inside this process: a program takes a second to start."""

    def call(*arguments: str | Path, here: Path | None = None) -> Done:
        monkeypatch.chdir(here or ROOT)
        monkeypatch.setattr(sys, "argv", ["bayplan", *map(str, arguments)])
        handler = signal.getsignal(signal.SIGINT)
        capsys.readouterr()
        try:
            with pytest.raises(SystemExit) as ended:
                main()
        finally:
            signal.signal(signal.SIGINT, handler)
        seen = capsys.readouterr()
        return Done(int(ended.value.code or 0), seen.out, seen.err)

    return call


@pytest.fixture(scope="session")
def program() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return what calls the installed program, as a user's shell would."""
    beside = Path(sys.executable).with_name("bayplan")
    found = str(beside) if beside.exists() else shutil.which("bayplan")
    assert found, "bayplan is not installed: make setup"

    def call(*arguments: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
        command = [found, *map(str, arguments)]
        whole = {"PATH": os.environ["PATH"], **env}
        return subprocess.run(command, cwd=ROOT, env=whole, capture_output=True, text=True, check=False)

    return call


SMALL = """
nodes: {a: {address: 192.0.2.1, cpus: 8, memory: 16GiB}, b: {address: 192.0.2.2, cpus: 8, memory: 16GiB}}
services:
  api: {compose: {image: "api:1", ports: ["8000:8000"]}, limits: {memory: 2GiB}, placement: a}
  web: {compose: {image: "web:1", depends_on: [api]}, limits: {memory: 1GiB}, placement: b}
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Return a policy folder of two services on two nodes; its compiled files go beside `policies/`."""
    folder = tmp_path / "policies" / "small"
    folder.mkdir(parents=True)
    (folder / "policy.yml").write_text(SMALL)
    return folder
