"""The order of steps of the policies in this repository: every one is safe, and BEV's stands here figure by figure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bayplan import pipeline
from bayplan.policy.environment import DEFAULT
from bayplan.policy.folder import read_folder
from bayplan.workspace import workspace

if TYPE_CHECKING:
    from bayplan.plan.plan import Plan

ROOT = Path(__file__).parents[3]
AS_WRITTEN = "-as-written"


def _environments(policy: Path) -> list[str]:
    section = read_folder(policy)[0].get("environments")
    return sorted(name for name, _ in section.items()) if section is not None else [DEFAULT]


CASES = [
    (policy.name, env)
    for policy in sorted((ROOT / "policies").iterdir())
    if policy.is_dir() and not policy.name.endswith(AS_WRITTEN)
    for env in _environments(policy)
]


def made(name: str, env: str) -> Plan:
    space = workspace(ROOT / "policies" / name)
    return pipeline.plan(space, pipeline.read(space, env))


@pytest.mark.parametrize(("name", "env"), CASES)
def test_every_policy_has_a_safe_order(name: str, env: str) -> None:
    """The pipeline proves each order that it takes; what was found wrong would be a finding."""
    plan = made(name, env)
    assert [
        one for one in plan.findings if one.rule in ("rollout/no-order", "rollout/unsafe-step", "rollout/undone")
    ] == []
    assert bool(plan.waves) is bool(plan.changes)
    assert {step.service for wave in plan.waves for step in wave.steps} >= {change.service for change in plan.changes}


def test_what_cannot_hold_has_no_waves() -> None:
    assert made("bev-as-written", DEFAULT).waves == ()


def test_bev() -> None:
    """127 services: 53 of them on a machine that was promised twice."""
    plan = made("bev", DEFAULT)
    assert [(wave.stage, wave.kind.value, wave.where, len(wave.steps), wave.restarts) for wave in plan.waves] == [
        ("reduce", "resize", "oracle1, starlord, thanos", 127, 0),
        ("reduce", "recreate", "thanos", 15, 16),
        ("autostart", "rest", "starlord, thanos", 30, 0),
        ("move", "move", "thanos → starlord", 1, 1),
        ("move", "move", "thanos → starlord", 2, 2),
        ("move", "move", "thanos → starlord", 2, 2),
        ("move", "move", "thanos → starlord", 3, 3),
    ]
    assert [wave.why for wave in plan.waves[:3]] == [
        "53 limits on thanos, 51 on oracle1 and 23 on starlord, live; what frees room first",
        "15 services on thanos anew, with new settings; who is needed first",
        "22 services on starlord and 8 on thanos rest until they are asked for; who needs others before them",
    ]
    assert sum(wave.bytes_moved for wave in plan.waves) == 80 * 2**30
    moves = [wave.move for wave in plan.waves if wave.move]
    assert all(move.stateful and not move.stop_first for move in moves)
    assert [volume.real_name for move in moves for volume in move.volumes] == [
        "bev_memory_data", "bev_autonomous_data", "bev_swarm_data", "bev_document_analyzer_data",
    ]  # fmt: skip
    assert moves[0].paths == ("/opt/bev/.env", "/opt/bev/config/memory", "/opt/bev/thanos/phase3/memory")
    recreated = [step.service.name for step in plan.waves[1].nodes["thanos"]]
    assert recreated.index("zookeeper") < recreated.index("kafka-1")
