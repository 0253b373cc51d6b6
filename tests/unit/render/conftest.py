"""What tests of rendering share: a policy of one or two texts, compiled, and the real Docker Compose."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest
import yaml

from bayplan.model.names import Instance, Name
from bayplan.model.placement import Placement, Seat
from bayplan.render.compose import compose_files, compose_trees

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bayplan.policy.fleet import Policy


class Rendered:
    """Both forms of the compiled files of a policy: trees, whose derived values carry a comment, and texts."""

    def __init__(self, policy: Policy, placement: Placement) -> None:
        self.policy = policy
        self.trees = compose_trees(policy.to_be, placement)
        self.texts = compose_files(policy.to_be, placement, "policies/shop")

    def text(self, where: str) -> str:
        """Return a file by `node/project`."""
        return self.texts[f"{where}/compose.yaml"]

    def data(self, where: str) -> Any:
        """Return a file by `node/project`, read by a YAML reader of somebody else's."""
        return yaml.safe_load(self.text(where))

    def service(self, where: str) -> Any:
        """Return a service by `node/project/name`."""
        node, project, name = where.split("/")
        return self.data(f"{node}/{project}")["services"][name]

    def comments(self, where: str) -> list[str]:
        """Return the lines of a file that carry a comment, without blanks around them."""
        return [line.strip() for line in self.text(where).splitlines() if "  # " in line]


class Render(Protocol):
    """Compiles a policy of texts; `seats` says where copies stand, `shop/web#2: node` or `node 0,1` with cards."""

    def __call__(self, texts: str | Mapping[str, str], seats: Mapping[str, str], env: str | None = None) -> Rendered:
        """Return the compiled files."""


@pytest.fixture(scope="session")
def render(read: Any) -> Render:
    """Return what compiles a policy whose decision is written by hand."""

    def make(texts: str | Mapping[str, str], seats: Mapping[str, str], env: str | None = None) -> Rendered:
        policy = read(texts, env)
        errors = [finding for finding in policy.findings if finding.is_error]
        assert not errors, errors
        return Rendered(policy, Placement({instance(copy): seat(where) for copy, where in seats.items()}))

    return make


def instance(text: str) -> Instance:
    name, _, number = text.partition("#")
    return Instance(Name.parse(name), int(number or "1"))


def seat(text: str) -> Seat:
    node, _, cards = text.partition(" ")
    return Seat(node, tuple(int(card) for card in cards.split(",") if card))


@pytest.fixture(scope="session")
def compose_accepts(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], None]:
    """Return what asks the real Docker Compose about the text of a file; every variable in it is set."""
    beside = Path(sys.executable).with_name("docker-compose")
    found = str(beside) if beside.exists() else shutil.which("docker-compose")
    assert found, "docker-compose is missing: install the development lock"

    def accepts(text: str) -> None:
        folder = tmp_path_factory.mktemp("compose")
        (folder / "compose.yaml").write_text(text)
        names = sorted(set(re.findall(r"(?<!\$)\$\{?([A-Za-z_][A-Za-z0-9_]*)", text)))
        values = [f"{name}={'192.0.2.1' if name.startswith('BAYPLAN_ADDRESS_') else 'dummy'}\n" for name in names]
        (folder / "env").write_text("".join(values))
        command = [found, "--env-file", str(folder / "env"), "--file", str(folder / "compose.yaml"), "config", "-q"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]})
        assert (done.returncode, done.stderr) == (0, "")

    return accepts
