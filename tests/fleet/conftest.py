"""Tests on real nodes, where they can run: each module on one worker, with a lab of its own."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from lab import Lab
from lab import engine as engines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lab.engine import Engine

HERE = Path(__file__).parent
WISH = os.environ.get("BAYPLAN_FLEET", "")
"""`required`: fail where no fleet can run. `off`: leave these tests out. Otherwise they run where they can."""


def why_not() -> str:
    """Return why the tests of this folder stay out; empty: they run."""
    if WISH not in {"", "required", "off"}:
        raise pytest.UsageError(f"BAYPLAN_FLEET is {WISH!r}: say `required` or `off`, or nothing.")
    if WISH == "required":
        return ""
    return "BAYPLAN_FLEET is off" if WISH == "off" else engines.why_not()


def pytest_report_header() -> str:
    """Say at the top whether real nodes are part of this run."""
    reason = why_not()
    return f"fleet tests: not here, because {reason}" if reason else "fleet tests: on real nodes"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what is in this folder, and leave it out where it cannot run: a skip would say it might have."""
    ours = [item for item in items if HERE in item.path.parents]
    for item in ours:
        item.add_marker("fleet")
    if ours and why_not():
        config.hook.pytest_deselected(items=ours)
        items[:] = [item for item in items if item not in ours]


class LabOf(Protocol):
    """Starts a lab that is gone when the module's tests are done."""

    def __call__(self, names: Iterable[str], **more: Any) -> Lab:
        """Return a lab with nodes of those names; the rest is as for `Lab`."""


@pytest.fixture(scope="session")
def engine() -> Engine:
    """Return the engine below all labs, started if need be."""
    return engines.ensure()


@pytest.fixture(scope="module")
def lab_of(request: pytest.FixtureRequest, engine: Engine) -> Iterator[LabOf]:
    """Return what starts labs for the tests of one module."""
    assert engine.version()
    own = Path(request.node.path).stem.removeprefix("test_").replace("_", "-")
    with ExitStack() as labs:
        started: list[Lab] = []

        def start(names: Iterable[str], **more: Any) -> Lab:
            # The pid: several runs on one machine do not get in each other's way.
            lab = labs.enter_context(Lab(f"{own[:18]}-{os.getpid()}-{len(started)}", list(names), **more))
            started.append(lab)
            return lab

        yield start
