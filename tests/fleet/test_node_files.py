"""What a node gets beside its Compose files does on a real one what it says: slices hold, Docker takes its options."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bayplan.model.placement import Placement, Seat
from bayplan.render.compose import compose_files
from bayplan.render.node import needs, node_files

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab import Lab, Node

    from bayplan.model.fleet import Fleet

ROOT = Path(__file__).parents[2]
MIB = 1 << 20
POLICY = """
nodes: {one: {cpus: 2, memory: 4GiB, disks: {ssd: {path: /srv/ssd, size: 10GB}}}}
services:
  first: &web
    compose: {image: "REGISTRY/web:1", volumes: ["data:/data"], environment: {HOLD: "40"}}
    requests: {cpus: 200m}
    limits: {memory: 100MiB}
  second: {<<: *web, compose: {image: "REGISTRY/web:1", environment: {HOLD: "1"}}}
  apart: {compose: {image: "REGISTRY/web:1"}, cores: exclusive, limits: {cpus: 1, memory: 64MiB}}
pools:
  by-turns:
    scaling: on-demand
    services: [first, second]
    quota: {requests: {memory: 110MiB, cpus: 300m}, limits: {cpus: 0.5, pids: 99}}
volumes: {data: {class: ssd}}
"""
POOL = "bayplan.slice/bayplan-by_turns.slice"


@pytest.fixture(scope="module")
def lab(lab_of: Callable[..., Lab]) -> Lab:
    return lab_of(["one"])


@pytest.fixture(scope="module")
def fleet(lab: Lab, read: Any) -> Fleet:
    policy = read(POLICY.replace("REGISTRY", lab.registry))
    assert not [one for one in policy.findings if one.is_error], policy.findings
    found: Fleet = policy.to_be
    return found


@pytest.fixture(scope="module")
def node(lab: Lab, fleet: Fleet) -> Node:
    """Bring a node what is rendered for it, and start all services."""
    found, placement = lab.node("one"), everywhere(fleet)
    for path, text in node_files(fleet, placement, "p").items():
        if path.startswith("one/units/"):
            found.put(text, f"/etc/systemd/system/{Path(path).name}")
    for folder in needs(fleet, placement)["one"].folders:
        found.run(f"mkdir -p {folder}", sudo=True)
    found.run("systemctl daemon-reload", sudo=True)
    found.put(compose_files(fleet, placement, "p")["one/shop/compose.yaml"], "/opt/shop/compose.yaml")
    found.run("cd /opt/shop && docker compose up -d --wait --quiet-pull")
    return found


def everywhere(fleet: Fleet) -> Placement:
    return Placement({copy: Seat("one") for copy in fleet.instances()})


def kernel(node: Node, controller: str, file: str, group: str = POOL) -> str:
    return node.run(f"cat /sys/fs/cgroup/{controller}/{group}/{file}").stdout.strip()


def test_systemd_takes_the_units_of_all_policies(lab: Lab) -> None:
    folders = sorted({path.parent for path in (ROOT / "compiled").rglob("units/*.slice")})
    assert folders
    node = lab.node("one")
    for number, folder in enumerate(folders):
        for unit in folder.iterdir():
            node.put(unit.read_text(), f"/opt/units/{number}/{unit.name}")
        verify = f"cd /opt/units/{number} && systemd-analyze verify --recursive-errors=yes ./*.slice"
        done = node.run(verify, sudo=True, check=False)
        assert (done.returncode, done.stdout + done.stderr) == (0, ""), folder


def test_a_unit_that_is_wrong_is_not_taken(lab: Lab) -> None:
    """So that the test above says something."""
    lab.node("one").put("[Slice]\nMemoryMax=lots\n", "/opt/units/wrong/bayplan-wrong.slice")
    verify = "cd /opt/units/wrong && systemd-analyze verify --recursive-errors=yes ./*.slice"
    done = lab.node("one").run(verify, sudo=True, check=False)
    assert "Invalid memory limit 'lots'" in done.stdout + done.stderr


def test_docker_takes_its_options(lab: Lab, fleet: Fleet) -> None:
    text = node_files(fleet, everywhere(fleet), "p")["one/daemon.json"]
    node = lab.node("one")
    node.put(text, "/opt/daemon.json")
    done = node.run("dockerd --validate --config-file /opt/daemon.json", sudo=True)
    assert "OK" in done.stdout + done.stderr
    assert node.docker("info", "-f", "{{.CgroupDriver}}").stdout.strip() == "systemd"


def test_the_kernel_holds_the_quota(node: Node) -> None:
    assert kernel(node, "memory", "memory.limit_in_bytes") == str(110 * MIB)
    assert kernel(node, "pids", "pids.max") == "99"
    quota, period = (int(kernel(node, "cpu", f"cpu.cfs_{one}_us")) for one in ("quota", "period"))
    assert quota * 2 == period
    # 0.3 of 2 CPUs: 30 within the pools' slice, and 100 x 0.3 / 1.7 beside system.slice.
    assert kernel(node, "cpu", "cpu.shares") == str(30 * 1024 // 100)
    assert kernel(node, "cpu", "cpu.shares", "bayplan.slice") == str(18 * 1024 // 100)


def test_members_are_in_the_slice_and_others_are_not(node: Node) -> None:
    inside = {name: group(node, name) for name in ("first", "second", "apart")}
    assert inside["first"].startswith(f"/{POOL}/docker-")
    assert inside["second"].startswith(f"/{POOL}/docker-")
    assert inside["apart"].startswith("/system.slice/docker-")


def group(node: Node, service: str) -> str:
    script = f"cat /proc/$(docker inspect -f '{{{{.State.Pid}}}}' shop-{service}-1)/cgroup"
    found = re.search(r"^\d+:memory:(.*)$", node.run(script).stdout, re.MULTILINE)
    assert found
    return found[1]


def test_together_they_get_no_more_than_the_pool(node: Node) -> None:
    """Each may take 100 MiB, both 110: one holds 40, and when the other takes 85, the kernel ends one of them."""
    started = starts(node)
    node.docker(
        "exec", "shop-second-1", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/fault?hold=85", check=False
    )
    end = time.monotonic() + 20
    while starts(node) == started:
        assert time.monotonic() < end, kernel(node, "memory", "memory.max_usage_in_bytes")
        time.sleep(0.2)
    assert 100 * MIB < int(kernel(node, "memory", "memory.max_usage_in_bytes")) <= 110 * MIB


def starts(node: Node) -> str:
    """Return when the members of the pool were started and how they are: a new one is a new line."""
    state = "{{.State.StartedAt}} {{.State.Status}} {{.State.OOMKilled}} {{.RestartCount}}"
    return node.docker("inspect", "-f", state, "shop-first-1", "shop-second-1").stdout


def test_a_volume_lies_on_the_disk_of_its_class(node: Node) -> None:
    folder = "/srv/ssd/bayplan/shop/shop_data"
    node.docker("exec", "shop-first-1", "sh", "-c", "echo here > /data/x || true")
    found = json.loads(node.docker("volume", "inspect", "shop_data").stdout)[0]
    assert found["Options"] == {"device": folder, "o": "bind", "type": "none"}
    again = node.run("cd /opt/shop && docker compose up -d --no-deps first 2>&1", check=False)
    assert (again.returncode, "Recreate" in again.stdout) == (0, False)
    assert node.read(f"{folder}/x") == "here\n"


def test_cores_of_ones_own_are_in_the_kernel(node: Node) -> None:
    assert kernel(node, "cpuset", "cpuset.cpus", group(node, "apart")) == "0"
    assert kernel(node, "cpuset", "cpuset.cpus", group(node, "first")) == "1"
