"""A look at real nodes: what is written is what is there, and a plan that was carried out is done."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from yard import Yard

if TYPE_CHECKING:
    import subprocess

    from conftest import LabOf
    from lab import Lab, Node

MIB = 2**20
RELEASE = "0123456789ab"
COMPOSE = """
services:
  web:
    image: REGISTRY/web:1
    ports: ["8081:8080"]
    depends_on: [cache]
    environment: {GREETING: "${GREETING:-hello}"}
    restart: always
  cache: {image: "REGISTRY/redis:1", ports: ["6379:6379"], volumes: ["cache:/data"], mem_limit: 32m, cpuset: "0", restart: always}
  rare: {image: "REGISTRY/web:1", restart: always}
volumes: {cache: {}}
"""
POLICY = """
sources: {shop: {compose: compose/shop.yml, node: front, root: /opt/shop}}
defaults: {requests: {cpus: 50m, memory: 16MiB}}
pools: {rarely: {scaling: on-demand, services: [rare]}}
services:
  web: {placement: back, limits: {memory: 96MiB, cpus: 0.5, pids: 200}, why: front is full}
"""


@pytest.fixture(scope="module")
def lab(lab_of: LabOf) -> Lab:
    return lab_of(["front", "back"])


@pytest.fixture(scope="module")
def yard(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Yard:
    """Return a yard whose project runs as its owner started it, on machines whose sizes nobody has written down."""
    made = Yard(tmp_path_factory.mktemp("yard"), lab)
    nodes = yaml.safe_dump({"nodes": {name: lab.node(name).address for name in ("front", "back")}})
    made.write(nodes + POLICY, {"shop": COMPOSE})
    made.deploy("front", "shop")
    return made


def facts(yard: Yard, node: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((yard.root / "inventory" / "shop" / "observed" / f"{node}.yml").read_text())
    return found


def look(yard: Yard, code: int = 0) -> subprocess.CompletedProcess[str]:
    return yard.bayplan("observe", "policies/shop", code=code)


def changes(yard: Yard) -> list[str]:
    made = json.loads(yard.bayplan("plan", "policies/shop", "--no-save", "--format", "json").stdout)
    return [f"{one['kind']} {one['service']}" for stage in made["stages"] for one in stage["changes"]]


def test_a_first_look_makes_a_plan_possible(yard: Yard) -> None:
    assert "neither the policy nor an observation" in yard.bayplan("plan", "policies/shop", code=1).stderr
    done = look(yard)
    assert done.stdout.splitlines()[0].split() == ["back", "0", "services,", "0", "volumes,", "no", "release"]
    assert changes(yard) == [
        "resize shop/cache",
        "resize shop/rare",
        "schedule shop/rare",
        "resize shop/web",
        "move shop/web",
    ]


def test_what_is_written_is_what_docker_says(yard: Yard, lab: Lab) -> None:
    front, told = lab.node("front"), facts(yard, "front")
    assert told["docker"]["engine"] == front.docker("version", "-f", "{{.Server.Version}}").stdout.strip()
    assert told["docker"]["compose"] == front.docker("compose", "version", "--short").stdout.strip()
    assert told["memory"] == 1024 * int(front.run("awk '/^MemTotal/ {print $2}' /proc/meminfo").stdout)
    assert told["cpus"] == int(front.run("nproc").stdout)
    assert {one["service"]: one["limits"] for one in told["services"]} == {
        "cache": {"cpuset": "0", "memory": 32 * MIB},
        "rare": {},
        "web": {},
    }
    assert list(told["volumes"]) == ["shop_cache"]
    assert set(told["keys"]) > {"container/shop/web/1", "volume/shop_cache", "docker", "hardware", "release"}


def test_cards_are_seen_without_anything_installed_and_nothing_is_left_behind(yard: Yard, lab: Lab) -> None:
    back = lab.node("back")
    back.put("NVIDIA_L4 23034 1200 15 41\n", "/etc/fake-nvml")
    look(yard)
    (card,) = facts(yard, "back")["gpus"]
    assert (card["index"], card["model"], card["memory"]) == (0, "NVIDIA L4", 23034 * MIB)
    assert back.run("find ~/.ansible/tmp -mindepth 1").stdout == ""
    back.run("rm /etc/fake-nvml", sudo=True)
    look(yard)


def release(yard: Yard, node: Node) -> None:
    """Put what was compiled onto a node and start it, as a rollout leaves it; the rest of the project goes."""
    text = (yard.root / "compiled" / "shop" / "default" / node.name / "shop" / "compose.yaml").read_text()
    home = "/var/lib/bayplan/shop"
    node.put(text, f"{home}/releases/{RELEASE}/shop/compose.yaml")
    node.put(json.dumps({"projects": {"shop": {"root": "/opt/shop"}}}), f"{home}/releases/{RELEASE}/manifest.json")
    node.run(f"ln -sfn releases/{RELEASE} {home}/current && mkdir -p /opt/shop", sudo=True)
    addresses = "\n".join(f"BAYPLAN_ADDRESS_{name.upper()}={yard.lab.node(name).address}" for name in ("front", "back"))
    node.put(addresses + "\n", "/tmp/addresses.env")  # noqa: S108 - on the node
    compose = f"docker compose -p shop --project-directory /opt/shop --env-file /tmp/addresses.env -f {home}/current/shop/compose.yaml"
    node.run(f"{compose} up -d --wait --remove-orphans --quiet-pull 2>&1", sudo=True)
    node.run(f"{compose} stop rare 2>&1", sudo=True, check=False)


def test_what_was_carried_out_is_done(yard: Yard, lab: Lab) -> None:
    yard.bayplan("compile", "policies/shop")
    before = {path: path.read_bytes() for path in (yard.root / "compiled").rglob("*") if path.is_file()}
    for name in ("back", "front"):
        release(yard, lab.node(name))
    done = look(yard)
    assert [line.rpartition(" ")[2] for line in done.stdout.splitlines()] == [RELEASE, RELEASE]
    deployed = yard.root / "inventory" / "shop" / "observed" / "back" / "shop.yaml"
    assert deployed.read_bytes() == before[yard.root / "compiled/shop/default/back/shop/compose.yaml"]
    assert changes(yard) == []
    yard.bayplan("compile", "policies/shop", "--check")
    assert {path: path.read_bytes() for path in (yard.root / "compiled").rglob("*") if path.is_file()} == before


def test_a_second_look_changes_nothing_but_the_time(yard: Yard) -> None:
    before = {name: facts(yard, name) for name in ("front", "back")}
    look(yard)
    for name, told in before.items():
        assert {**facts(yard, name), "taken": ""} == {**told, "taken": ""}


def test_what_somebody_changes_by_hand_is_set_right(yard: Yard, lab: Lab) -> None:
    web = lab.node("back").docker("ps", "-q", "--filter", "name=shop-web").stdout.strip()
    lab.node("back").docker("update", "--memory", "64m", "--memory-swap", "128m", web)
    lab.node("front").docker("stop", "shop-cache-1")
    look(yard)
    assert changes(yard) == ["start shop/cache", "resize shop/web"]
    lab.node("back").docker("update", "--memory", "96m", "--memory-swap", "192m", web)
    lab.node("front").docker("start", "shop-cache-1")
    look(yard)
    assert changes(yard) == []


def test_a_node_that_does_not_answer_keeps_its_facts_and_the_others_are_written(yard: Yard, lab: Lab) -> None:
    before = facts(yard, "front")
    lab.node("front").cut()
    try:
        done = look(yard, code=1)
    finally:
        lab.node("front").mend()
    assert facts(yard, "front") == before
    assert done.stderr.startswith("front: ")
    assert done.stderr.endswith(f"; its facts of {before['taken'][:10]} stay\n")
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["back"]
    assert changes(yard) == []


def test_a_project_that_is_not_deployed_any_more_is_forgotten(yard: Yard, lab: Lab) -> None:
    lab.node("back").run("rm /var/lib/bayplan/shop/current", sudo=True)
    look(yard)
    assert facts(yard, "back")["projects"] == {}
    assert not (yard.root / "inventory" / "shop" / "observed" / "back").exists()
