"""A node that does not answer: at the look, before a plan begins, and in the middle of a wave."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from yard import BAYPLAN, Yard, journal, nodes, untouched

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lab import Lab

COMPOSE = """
services:
  one:
    image: REGISTRY/web:1
    environment: {SLOW: "0"}
    mem_limit: 64m
    restart: unless-stopped
  two:
    image: REGISTRY/web:1
    environment: {SLOW: "0"}
    mem_limit: 64m
    restart: unless-stopped
"""
POLICY = """
sources:
  here: {compose: compose/here.yml, node: front, root: /opt/here}
  there: {compose: compose/there.yml, node: back, root: /opt/there}
services:
  "*": {limits: {memory: 32MiB}, compose: {environment: {SLOW: "4"}}, why: they start slowly from now on}
"""


@pytest.fixture(scope="module")
def yard(lab_of: Callable[..., Lab], tmp_path_factory: pytest.TempPathFactory) -> Yard:
    lab = lab_of(["front", "back"])
    made = Yard(tmp_path_factory.mktemp("yard"), lab)
    addresses = {node: lab.node(node).address for node in ("front", "back")}
    made.write(nodes(addresses) + POLICY, {"here": COMPOSE, "there": COMPOSE})
    made.deploy("front", "here")
    made.deploy("back", "there")
    return made


@pytest.fixture(scope="module")
def plan(yard: Yard) -> Path:
    return yard.plan()


def test_at_the_look_the_others_are_written_and_its_facts_stay(yard: Yard, plan: Path) -> None:
    facts = yard.root / "inventory" / "shop" / "observed" / "back.yml"
    before = facts.read_text()
    yard.lab.node("back").cut()
    try:
        done = yard.bayplan("observe", "policies/shop", "--once", code=1)
    finally:
        yard.lab.node("back").mend()
    assert plan
    assert "back: unreachable" in done.stdout + done.stderr
    assert "front" in done.stdout
    assert facts.read_text() == before


def test_before_the_first_step_nothing_is_touched(yard: Yard, plan: Path) -> None:
    before = untouched(yard.lab.node("front"))
    yard.lab.node("back").cut()
    try:
        done = yard.bayplan("apply", str(plan), "--yes", code=1)
    finally:
        yard.lab.node("back").mend()
    assert "unreachable: back" in done.stderr
    assert untouched(yard.lab.node("front")) == before
    assert journal(yard.lab.node("front")) == []


def test_in_the_middle_of_a_wave_it_stops_and_can_be_resumed(yard: Yard, plan: Path) -> None:
    back = yard.lab.node("back")
    with subprocess.Popen([BAYPLAN, "apply", str(plan), "--yes"], cwd=yard.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:  # fmt: skip
        assert run.stdout is not None
        seen = []
        for line in run.stdout:
            seen.append(line)
            if "recreate" not in line and "anew" in line:
                time.sleep(2)
                back.cut()
        code = run.wait(timeout=600)
    text = "".join(seen)
    assert code == 1, text
    assert "unreachable: back" in text
    assert "--resume goes on" in text
    back.mend()
    done = yard.bayplan("apply", str(plan), "--yes", "--resume")
    assert done.stdout.splitlines()[-1] == "applied"
    for name in ("front", "back"):
        limits = {service: one["memory"] for service, one in yard.services(name).items()}
        assert limits == {"one": 32 << 20, "two": 32 << 20}
    assert "2 services are what the policy says" in yard.bayplan("verify", "policies/shop").stdout
