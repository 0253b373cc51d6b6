"""Deployed as planned and looked at again, every policy of the repository is done: the second plan changes nothing."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from ansible_collections.bayplan.fleet.plugins.module_utils.limits import normal

from bayplan import pipeline
from bayplan.model.quantity import CPUS, MEMORY
from bayplan.policy.facts import deployed_files, facts_to_observed
from bayplan.render.observed import observed_files
from bayplan.workspace import Workspace

from .conftest import CASES, ROOT, compile_

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from bayplan.model.fleet import Node
    from bayplan.plan.plan import Plan

    from .conftest import Compiled

NOW = datetime(2026, 11, 22, tzinfo=UTC)
COMPOSE = ROOT / "tests" / "cases" / "compose"
FORMS = [
    ["everything-short.yml"],
    ["everything-long.yml"],
    ["anchors.yml"],
    ["external.yml"],
    ["forms.yml"],
    ["gpu.yml"],
    ["implied.yml"],
    ["interpolation.yml"],
    ["extends/compose.yml"],
    ["include/compose.yml"],
    ["override/compose.yml", "override/over.yml"],
    ["reset/compose.yml", "reset/over.yml"],
]
"""Files that say everything that Compose knows, in each of its forms."""
LETTERS = {"b": 1, "k": 2**10, "m": 2**20, "g": 2**30}


@pytest.mark.parametrize("case", CASES)
def test_the_second_plan_changes_nothing(case: str, compiled: Callable[[str], Compiled], tmp_path: Path) -> None:
    made = compiled(case)
    again = look_and_plan(case, made, tmp_path)
    assert [f"{one.kind} {one.service}: {[d.words() for d in one.details]}" for one in again.changes] == []
    assert again.placement is not None
    assert again.placement.seats == made.placement.seats
    assert pipeline.compiled_files(again) == made.texts
    assert [str(one) for one in again.findings if one.is_error] == []


def test_what_was_claimed_of_the_time_before_is_not_asked_any_more(
    compiled: Callable[[str], Compiled], tmp_path: Path
) -> None:
    again = look_and_plan("bev/default", compiled("bev/default"), tmp_path)
    assert [one.subject for one in again.findings if one.rule == "claims/past"] == ["node/thanos", "node/oracle1"]


def kept_small(facts: dict[str, Any]) -> None:
    for one in facts["containers"]:
        if one["service"] == "immich":
            one["configured"]["memory"] = 2**27


def stopped(facts: dict[str, Any]) -> None:
    for one in facts["containers"]:
        if one["service"] == "immich":
            one["state"] = "exited"


def removed(facts: dict[str, Any]) -> None:
    facts["containers"] = [one for one in facts["containers"] if one["service"] != "immich"]


@pytest.mark.parametrize(
    ("change", "kinds"),
    [(kept_small, ["resize"]), (stopped, ["start"]), (removed, ["start"])],
)
def test_what_somebody_changed_by_hand_is_set_right_and_nothing_else(
    change: Callable[[dict[str, Any]], None], kinds: list[str], compiled: Callable[[str], Compiled], tmp_path: Path
) -> None:
    again = look_and_plan("home-lab/default", compiled("home-lab/default"), tmp_path, change)
    assert [(str(one.service), one.kind.value) for one in again.changes] == [("media/immich", kind) for kind in kinds]


@pytest.mark.parametrize("files", FORMS, ids=lambda files: files[0])
def test_every_form_of_a_compose_file_comes_back_as_it_was_deployed(files: list[str], tmp_path: Path) -> None:
    shutil.copytree(COMPOSE, tmp_path / "compose")
    source = {"compose": [f"../compose/{file}" for file in files], "node": "tower", "profiles": ["p"]}
    policy = {
        "nodes": {"tower": {"cpus": 64, "memory": "512GiB", "gpus": {"model": "A", "memory": "40GiB", "count": 4}}},
        "defaults": {"requests": {"cpus": "100m"}},
        "sources": {"p": source},
        "services": {"*": {"replicas": 1}},
    }
    (tmp_path / "forms").mkdir()
    (tmp_path / "forms" / "policy.yml").write_text(yaml.safe_dump(policy))
    made = compile_(tmp_path / "forms", "default", tmp_path / "compiled", "forms")
    space = Workspace(tmp_path / "forms", tmp_path / "inventory", tmp_path / "compiled", tmp_path / "plans")
    look(made, space.inventory / "observed")
    again = pipeline.plan(space, pipeline.read(space))
    assert [f"{one.kind} {one.service}: {[d.words() for d in one.details]}" for one in again.changes] == []
    assert pipeline.compiled_files(again) == made.texts


def look_and_plan(
    case: str, made: Compiled, tmp_path: Path, change: Callable[[dict[str, Any]], None] | None = None
) -> Plan:
    """Return the plan that follows when every node was looked at after `made` was deployed.

    Args:
        case: policy and environment.
        made: what was deployed.
        tmp_path: for inventory and decision.
        change: what happened to the facts of each node since.
    """
    name, env = case.split("/")
    observed = tmp_path / "inventory" / "observed"
    if (ROOT / "inventory" / name).is_dir():
        shutil.copytree(ROOT / "inventory" / name, observed.parent)
    look(made, observed, change)
    space = Workspace(ROOT / "policies" / name, observed.parent, made.root.parent, tmp_path / "plans")
    return pipeline.plan(space, pipeline.read(space, env))


def look(made: Compiled, observed: Path, change: Callable[[dict[str, Any]], None] | None = None) -> None:
    """Write what is observed when a tree was deployed on its nodes, into a folder that may hold older facts."""
    for node in made.policy.to_be.nodes.values():
        facts = facts_of(node, made.root)
        if change is not None:
            change(facts)
        before = yaml.safe_load(file.read_text()) if (file := observed / f"{node.name}.yml").exists() else None
        data = facts_to_observed(facts, {}, node.name, NOW, before)
        for path, text in observed_files(data, deployed_files(facts)).items():
            (observed / path).parent.mkdir(parents=True, exist_ok=True)
            (observed / path).write_text(text)


def facts_of(node: Node, root: Path) -> dict[str, Any]:
    """Return the facts of a node on which the compiled files run as Docker would run them."""
    files = {path.parent.name: path.read_text() for path in sorted((root / node.name).glob("*/compose.yaml"))}
    cpus = node.has(CPUS) // 1000
    every = frozenset(range(cpus))
    return {
        "arch": node.arch,
        "cpus": cpus,
        "threads_per_core": node.threads_per_core,
        "memory": node.has(MEMORY),
        "gpus": [{"index": one.index, "uuid": one.uuid, "model": one.model, "memory": one.memory} for one in node.gpus],
        "storage": {"path": "/var/lib/docker", "size": 10**12, "free": 10**11},
        "docker": "26.1.5",
        "compose": "2.26.1",
        "cgroup": 2,
        "cgroup_driver": "systemd",
        "live_restore": False,
        "containers": [one for project, text in files.items() for one in containers(project, text, every)],
        "volumes": [one for project, text in files.items() for one in volumes(project, text)],
        "release": "0123456789ab",
        "deployed": {project: {"root": f"/opt/{project}", "compose": text} for project, text in files.items()},
    }


def containers(project: str, text: str, every: frozenset[int]) -> Iterator[dict[str, Any]]:
    for service, body in yaml.safe_load(text)["services"].items():
        for number in range(1, body.get("deploy", {}).get("replicas", 1) + 1):
            rests = body.get("x-bayplan", {}).get("run") == "on-demand"
            yield {
                "project": project,
                "service": service,
                "number": number,
                "image": body.get("image", ""),
                "state": "created" if rests else "running",
                "configured": normal(configured(body), every),
            }


def configured(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the limits that Docker records of a container."""
    asked = body.get("deploy", {}).get("resources", {})
    limits, kept = asked.get("limits", {}), asked.get("reservations", {})
    memory, both = amount(limits.get("memory")), amount(body.get("memswap_limit"))
    return {
        "memory": memory,
        "swap": both if both in (None, -1) else both - memory,
        "cpus": round(float(limits["cpus"]) * 1000) if "cpus" in limits else None,
        "pids": limits.get("pids"),
        "cpuset": body.get("cpuset"),
        "shares": body.get("cpu_shares"),
        "reservation": amount(kept.get("memory")),
        "cgroup_parent": body.get("cgroup_parent"),
    }


def amount(text: object) -> int | None:
    words = str(text)
    if text is None or words == "-1":
        return None if text is None else -1
    return int(words) if words.isdigit() else int(float(words[:-1]) * LETTERS[words[-1].lower()])


def volumes(project: str, text: str) -> Iterator[dict[str, Any]]:
    for key, body in (yaml.safe_load(text).get("volumes") or {}).items():
        device = (body or {}).get("driver_opts", {}).get("device", "")
        yield {"name": (body or {}).get("name", f"{project}_{key}"), "size": 1 + 2**30, "device": device}
