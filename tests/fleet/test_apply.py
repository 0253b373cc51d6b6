"""A small fleet, from what was there to what was planned and back; every way in refuses the same things."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from yard import Yard, journal, kernel, nodes, untouched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab import Lab

    Before = dict[str, dict[str, dict[str, object]]]

MIB = 2**20
COMPOSE = """
services:
  web:
    image: REGISTRY/web:1
    ports: ["8080:8080"]
    mem_limit: 256m
    restart: unless-stopped
  api:
    image: REGISTRY/web:1
    environment: {GREETING: hello}
    mem_limit: 512m
    depends_on: [cache]
    restart: unless-stopped
  cache:
    image: REGISTRY/redis:1
    command: redis-server --maxmemory 64mb
    ports: ["6379:6379"]
    volumes: ["cache:/data"]
    restart: unless-stopped
  rare:
    image: REGISTRY/web:1
    restart: unless-stopped
volumes: {cache: {}}
"""
POLICY = """
sources: {shop: {compose: compose/shop.yml, node: front, root: /opt/shop}}
defaults: {requests: {cpus: 50m}}
pools: {rarely: {scaling: on-demand, services: [rare], quota: {requests: {memory: 64MiB}}}}
services:
  web: {limits: {memory: 64MiB}, why: it serves files}
  api: {limits: {memory: 128MiB, cpus: 0.5}, compose: {environment: {GREETING: good day}}, why: half of it was never used}
  cache: {limits: {memory: 128MiB}, tuning: redis, placement: back, why: front has little memory}
  rare: {limits: {memory: 32MiB}, why: it runs when there is work}
"""


@pytest.fixture(scope="module")
def yard(lab_of: Callable[..., Lab], tmp_path_factory: pytest.TempPathFactory) -> Yard:
    lab = lab_of(["front", "back"])
    made = Yard(tmp_path_factory.mktemp("yard"), lab)
    made.write(nodes({node: lab.node(node).address for node in ("front", "back")}) + POLICY, {"shop": COMPOSE})
    made.deploy("front", "shop")
    return made


@pytest.fixture(scope="module")
def before(yard: Yard) -> Before:
    return {node: yard.services(node) for node in ("front", "back")}


@pytest.fixture(scope="module")
def plan(yard: Yard, before: Before) -> Path:
    assert before, "what was there is looked at before it is planned"
    return yard.plan()


def ways_in(plan: Path, yard: Yard) -> Iterator[tuple[list[str | Path], dict[str, str]]]:
    """The three ways in: our verb, plain ansible-playbook, ansible-runner."""
    programs = Path(sys.executable).parent
    hosts = yard.root / "inventory" / "shop" / "hosts.yml"
    checkout = Path(__file__).parents[2]
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(checkout / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(checkout / ".ansible/collections"),
    }
    environment["PATH"] = f"{programs}{os.pathsep}{environment['PATH']}"
    yield [programs / "bayplan", "apply", str(plan), "--yes"], environment
    yield [programs / "ansible-playbook", "-i", str(hosts), str(plan / "playbook.yml")], environment
    scratch = yard.root / "runner"
    scratch.mkdir(exist_ok=True)
    yield (
        [programs / "ansible-runner", "run", str(scratch), "-p", str(plan / "playbook.yml"), "--inventory", str(hosts)],
        environment,
    )


def tried(words: list[str | Path], environment: dict[str, str], yard: Yard) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=yard.root, env=environment, capture_output=True, text=True, check=False)


def test_a_check_shows_each_change_and_touches_nothing(yard: Yard, plan: Path) -> None:
    hashes = [untouched(yard.lab.node(node)) for node in ("front", "back")]
    done = yard.bayplan("apply", str(plan), "--check", "--diff")
    assert [untouched(yard.lab.node(node)) for node in ("front", "back")] == hashes
    for words in ("shop/web", "shop/api", "shop/cache", "shop/rare", "checked: nothing was touched"):
        assert words in done.stdout


def test_without_a_terminal_it_asks_for_yes(yard: Yard, plan: Path) -> None:
    done = yard.bayplan("apply", str(plan), code=64)
    assert "say --yes" in done.stderr


def test_a_held_lock_is_refused_by_every_way_in(yard: Yard, plan: Path) -> None:
    until = (datetime.now(UTC) + timedelta(minutes=10)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    owner = {"host": "elsewhere", "user": "ann", "pid": 1, "since": "1"}
    lock = json.dumps({"plan": "other", "run": "other", "owner": owner, "seconds": 900, "until": until, "boot": ""})
    node = yard.lab.node("back")
    node.put(lock, "/var/lib/bayplan/shop/lock")
    for words, environment in ways_in(plan, yard):
        done = tried(words, environment, yard)
        assert done.returncode != 0
        assert "ann" in done.stdout + done.stderr
    node.run("rm /var/lib/bayplan/shop/lock", sudo=True)
    assert not any(line["event"] == "begin" for name in ("front", "back") for line in journal(yard.lab.node(name)))
    assert yard.lab.node("front").docker("ps", "-q").stdout


def test_a_stale_plan_is_refused_by_every_way_in(yard: Yard, plan: Path, before: Before) -> None:
    identity = before["front"]["api"]["id"]
    yard.lab.node("front").docker("update", "--memory", "300m", "--memory-swap", "600m", identity)
    hashes = [untouched(yard.lab.node(name)) for name in ("front", "back")]
    for words, environment in ways_in(plan, yard):
        done = tried(words, environment, yard)
        assert done.returncode != 0
        assert "container shop/api/1 changed" in done.stdout + done.stderr
    assert [untouched(yard.lab.node(name)) for name in ("front", "back")] == hashes
    assert yard.bayplan("apply", str(plan), "--yes", code=4)
    yard.lab.node("front").docker("update", "--memory", "512m", "--memory-swap", "1024m", identity)


def test_it_is_applied_and_the_kernel_agrees(yard: Yard, plan: Path, before: Before) -> None:
    done = yard.bayplan("apply", str(plan), "--yes")
    front, back = yard.services("front"), yard.services("back")
    assert done.stdout.splitlines()[-1] == "applied"
    assert front["web"]["id"] == before["front"]["web"]["id"], "a smaller limit needs no restart"
    assert front["web"]["started"] == before["front"]["web"]["started"]
    assert kernel(yard.lab.node("front"), "web")["memory"] == 64 * MIB
    assert kernel(yard.lab.node("front"), "api") == {"memory": 128 * MIB, "cpus": 500}
    assert not front["rare"]["running"], "it rests until it is asked for"
    assert "cache" not in front
    assert back["cache"]["running"]
    assert kernel(yard.lab.node("back"), "cache")["memory"] == 128 * MIB


def test_names_resolve_across_nodes_after_the_move(yard: Yard) -> None:
    answer = yard.lab.node("front").run(
        "docker exec $(docker ps -qf label=com.docker.compose.service=api) getent hosts cache || docker exec $(docker ps -qf label=com.docker.compose.service=api) grep cache /etc/hosts"
    )
    assert yard.lab.node("back").address in answer.stdout


def test_verify_finds_nothing_and_status_tells_it(yard: Yard) -> None:
    assert "front: 3 services are what the policy says" in yard.bayplan("verify", "policies/shop").stdout
    assert "applied" not in yard.bayplan("status", "policies/shop").stderr


def test_the_same_plan_again_changes_nothing(yard: Yard, plan: Path) -> None:
    ids = {node: yard.services(node) for node in ("front", "back")}
    done = yard.bayplan("apply", str(plan), "--yes")
    assert done.stdout.splitlines()[-1] == "applied: nothing had to change"
    assert {node: yard.services(node) for node in ("front", "back")} == ids


def test_a_new_plan_has_nothing_to_do(yard: Yard) -> None:
    again = yard.plan()
    assert "nothing to do" in yard.bayplan("apply", str(again), "--yes").stdout


def test_drift_is_named_where_it_begins(yard: Yard) -> None:
    yard.lab.node("front").docker(
        "update", "--memory", "80m", "--memory-swap", "160m", str(yard.services("front")["web"]["id"])
    )
    done = yard.bayplan("verify", "policies/shop", code=3)
    assert "shop/web  memory: policy 64 MiB, docker 80 MiB" in done.stdout
    yard.lab.node("front").docker(
        "update", "--memory", "64m", "--memory-swap", "128m", str(yard.services("front")["web"]["id"])
    )


def test_rollback_gives_back_limits_placement_and_files(yard: Yard, plan: Path, before: Before) -> None:
    yard.bayplan("rollback", str(plan), "--yes")
    after = {node: yard.services(node) for node in ("front", "back")}
    keys = ("running", "memory", "cpus", "cpuset")
    short = lambda services: {name: [one[key] for key in keys] for name, one in services.items()}  # noqa: E731
    assert short(after["front"]) == short(before["front"])
    assert after["back"] == {}
