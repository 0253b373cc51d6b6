"""The figures of the BEV fleet, to the byte, as the ledger computes them and as the command prints them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bayplan.analyse.ledger import Ledger, State, ledger
from bayplan.model.quantity import Origin, Sum
from bayplan.pipeline import standing
from bayplan.policy.fleet import read_policy

if TYPE_CHECKING:
    from bayplan.analyse.ledger import Row

ROOT = Path(__file__).parents[2]
POLICY = "policies/bev-as-written"
GIB = 2**30


@pytest.fixture(scope="module")
def today() -> Ledger:
    """Return the ledger of what runs today; neither inventory nor a recorded decision has a part in it."""
    policy = read_policy(ROOT / POLICY)
    assert [one for one in policy.findings if one.is_error] == []
    return ledger(policy.as_is, standing(policy.as_is))


@pytest.fixture(scope="module")
def printed() -> dict[str, dict[str, Any]]:
    """Return what `bayplan analyze --format json` prints, by node."""
    command = [str(Path(sys.executable).with_name("bayplan")), "analyze", POLICY, "--format", "json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return {node["node"]: node for node in json.loads(done.stdout)["nodes"]}


def row(found: Ledger, node: str, resource: str) -> Row:
    """Return a row that must be there."""
    one = found.row(node, resource)
    assert one is not None
    return one


def resource(node: dict[str, Any], name: str) -> dict[str, Any]:
    """Return one resource of a printed node."""
    (found,) = [one for one in node["resources"] if one["resource"] == name]
    return found


def test_thanos_memory(today: Ledger) -> None:
    memory = row(today, "thanos", "memory")
    assert today.services["thanos"] == 53
    assert today.copies["thanos"] == 56
    assert memory.charges.declared / GIB == 108.75
    assert memory.charges.estimated / GIB == 57.5
    assert (memory.charges.declared + memory.charges.estimated) / GIB == 166.25
    assert memory.charges.replicas / GIB == 12
    assert memory.charges.total / GIB == 178.25
    assert memory.kinds == {Origin.DECLARED: 32, Origin.ESTIMATED: 21}
    assert (memory.unbounded, memory.capacity / GIB, memory.state) == ((), 64, State.OVER)


def test_thanos_cpus_are_all_estimated(today: Ledger) -> None:
    cpus = row(today, "thanos", "cpus")
    assert cpus.charges == Sum(estimated=45_500, replicas=3_000)
    assert cpus.charges.total == 48_500
    assert cpus.kinds == {Origin.ESTIMATED: 53}
    assert (cpus.unbounded, cpus.capacity, cpus.state) == ((), 16_000, State.OVER)


def test_oracle1_declares_everything(today: Ledger) -> None:
    memory, cpus = row(today, "oracle1", "memory"), row(today, "oracle1", "cpus")
    assert (today.services["oracle1"], today.copies["oracle1"]) == (51, 51)
    assert memory.charges == Sum(declared=22_305_308_672)
    assert memory.charges.total / GIB == 20.7734375
    assert cpus.charges == Sum(declared=3_810)
    assert (memory.kinds, cpus.kinds) == ({Origin.DECLARED: 51}, {Origin.DECLARED: 51})
    assert (memory.unbounded, cpus.unbounded) == ((), ())


def test_starlord_runs_the_companions(today: Ledger) -> None:
    memory = row(today, "starlord", "memory")
    assert today.services["starlord"] == 11
    assert memory.charges == Sum(estimated=18 * GIB)
    assert round(memory.reserve / GIB, 1) == 29.6


def test_the_command_prints_the_same(printed: dict[str, dict[str, Any]]) -> None:
    assert sorted(printed) == ["oracle1", "starlord", "thanos"]
    thanos, oracle1 = printed["thanos"], printed["oracle1"]
    assert (thanos["services"], thanos["copies"], thanos["state"]) == (53, 56, "over")
    memory = resource(thanos, "memory")
    assert memory["charges"] == {
        "total": 191_394_480_128,
        "without_replicas": 178_509_578_240,
        "declared": 116_769_423_360,
        "replicas": 12_884_901_888,
        "estimated": 61_740_154_880,
    }
    assert memory["services"] == {"declared": 32, "estimated": 21}
    assert resource(thanos, "cpus")["charges"] == {
        "total": 48_500,
        "without_replicas": 45_500,
        "replicas": 3_000,
        "estimated": 45_500,
    }
    assert oracle1["services"] == 51
    assert resource(oracle1, "memory")["charges"]["declared"] == 22_305_308_672
    assert resource(oracle1, "cpus")["charges"]["declared"] == 3_810
    assert resource(oracle1, "memory")["services"] == {"declared": 51}


def test_the_command_and_the_ledger_agree_on_every_row(today: Ledger, printed: dict[str, dict[str, Any]]) -> None:
    command = {
        (node, one["resource"]): (one["capacity"], one["reserve"], one["line"], one["charges"]["total"], one["state"])
        for node, found in printed.items()
        for one in found["resources"]
    }
    assert command == {
        (one.node, one.resource): (one.capacity, one.reserve, one.line, one.charges.total, one.state.value)
        for one in today.rows
    }
