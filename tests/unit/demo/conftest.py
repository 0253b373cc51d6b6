"""What the tests of the demo share: the way to its modules, and policies derived once."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

ROOT = Path(__file__).parents[3]
sys.path.append(str(ROOT / "tests" / "fleet"))

from demo.derive import Derived, Lab, derive  # noqa: E402

from bayplan import pipeline  # noqa: E402 - the path comes first
from bayplan.workspace import workspace  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

REGISTRY = "10.0.0.2:5000"


@pytest.fixture(scope="session")
def derived(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path, int], Derived]:
    """Return what derives the lab's policy of a policy folder: all of it, or so many services."""

    @cache
    def make(folder: Path, services: int = 0) -> Derived:
        nodes = pipeline.read(workspace(folder)).as_is.nodes
        addresses = {name: f"10.0.0.{number}" for number, name in enumerate(nodes, 11)}
        return derive(folder, tmp_path_factory.mktemp("lab"), Lab(REGISTRY, "amd64", addresses), services=services)

    return make
