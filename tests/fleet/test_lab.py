"""The test fleet is what it claims to be: machines with systemd and Docker, that can be cut off, and leave nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lab import CommandError, Lab, LabError, Size
from lab.apt import mirror
from lab.network import candidates
from lab.process import wait_for

if TYPE_CHECKING:
    from conftest import LabOf
    from lab import Node
    from lab.engine import Engine

MIB = 1 << 20
BIN = Path(sys.executable).parent
COMPOSE = """
services:
  web:
    image: REGISTRY/web:1
    environment: {PORTS: "8080 8081 9000/udp"}
    mem_limit: 8m
    pids_limit: 40
    cpus: 0.25
    ports: ["8080:8080"]
  db:
    image: REGISTRY/postgres:1
    command: postgres -c shared_buffers=16MB
    environment: {POSTGRES_USER: app, POSTGRES_DB: shop}
    volumes: ["db:/var/lib/postgresql/data"]
    mem_limit: 64m
  cache: {image: "REGISTRY/redis:1", mem_limit: 32m, deploy: {resources: {reservations: {devices: [{driver: nvidia, count: 1, capabilities: [gpu]}]}}}}
  front: {image: "REGISTRY/nginx:1", mem_limit: 32m}
volumes: {db: {}}
"""


@pytest.fixture(scope="module")
def lab(lab_of: LabOf) -> Lab:
    return lab_of(["thanos", "oracle1"], sizes={"thanos": Size(memory=1 << 30, cpus=1.5)})


@pytest.fixture(scope="module")
def thanos(lab: Lab) -> Node:
    node = lab.node("thanos")
    node.put(COMPOSE.replace("REGISTRY", lab.registry), "/opt/shop/compose.yaml")
    node.run("docker compose --project-directory /opt/shop up --detach --wait --wait-timeout 90 2>&1")
    return node


def everything(engine: Engine, lab: str) -> list[str]:
    """Return what an engine has of a lab: containers, volumes, networks."""
    named = {"ps": "{{.Names}}", "volume": "{{.Name}}", "network": "{{.Name}}"}
    words = {"ps": ["ps", "--all"], "volume": ["volume", "ls"], "network": ["network", "ls"]}
    return [
        name for kind in named for name in engine.lines(*words[kind], "--format", named[kind]) if name.startswith(lab)
    ]


def kernel(node: Node, container: str, file: str, v2: str) -> str:
    """Return what the kernel holds a container to."""
    pid = node.docker("inspect", "--format", "{{.State.Pid}}", container).stdout.strip()
    controller = file.partition(".")[0]
    pattern = f"(^|,){controller}(,|$)|^$"  # the last one is version 2, which has one line for all controllers
    at = node.run(f"awk -F: '$2 ~ /{pattern}/ {{print $3; exit}}' /proc/{pid}/cgroup").stdout.strip()
    return node.run(
        f"cat /sys/fs/cgroup/{controller}{at}/{file} 2>/dev/null || cat /sys/fs/cgroup{at}/{v2}"
    ).stdout.strip()


def fetch(node: Node, path: str) -> str:
    """Return what the web service answers on the node itself."""
    return node.run(f"curl --silent --max-time 10 'localhost:8080{path}'").stdout


def test_a_node_is_a_machine_with_systemd_and_docker(lab: Lab) -> None:
    for node in lab.nodes:
        assert node.run("systemctl is-system-running --wait").stdout == "running\n"
        assert node.docker("info", "--format", "{{.CgroupDriver}}").stdout == "systemd\n"
        assert node.docker("compose", "version", "--short").stdout.startswith("2.")
        assert node.run("hostname; id -un; sudo id -un").stdout.split() == [node.name, "deploy", "root"]
        assert node.run("which rsync python3 nvidia-container-runtime-hook").stdout.count("\n") == 3


def test_a_node_has_its_size(lab: Lab) -> None:
    node = lab.node("thanos")
    assert int(node.run("awk '/^MemTotal/ {print $2}' /proc/meminfo").stdout) == MIB
    assert node.docker("info", "--format", "{{.MemTotal}}").stdout == f"{1 << 30}\n"
    held = json.loads(lab.engine("inspect", node.container).stdout)[0]["HostConfig"]
    assert (held["Memory"], held["NanoCpus"]) == (1 << 30, 1_500_000_000)


def test_ansible_reaches_all_nodes(lab: Lab, tmp_path: Path) -> None:
    inventory = lab.inventory(tmp_path / "hosts.yml")
    command = [BIN / "ansible", "-i", inventory, "nodes", "-b", "-m", "ping"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    reached = set(re.findall(r"^(\w+) \| SUCCESS", done.stdout, re.MULTILINE))
    assert reached == {"thanos", "oracle1"}, done.stdout + done.stderr


def test_what_compose_limits_the_kernel_holds(thanos: Node) -> None:
    assert kernel(thanos, "shop-web-1", "memory.limit_in_bytes", "memory.max") == str(8 * MIB)
    assert kernel(thanos, "shop-db-1", "memory.limit_in_bytes", "memory.max") == str(64 * MIB)
    assert kernel(thanos, "shop-web-1", "pids.max", "pids.max") == "40"
    assert kernel(thanos, "shop-web-1", "cpu.cfs_quota_us", "cpu.max").split()[0] == "25000"


def test_the_services_serve(thanos: Node) -> None:
    assert re.fullmatch(r"version=1 host=[0-9a-f]{12} port=8080\n", fetch(thanos, "/"))
    assert "port=8081" in thanos.docker("exec", "shop-web-1", "wget", "-qO-", "http://127.0.0.1:8081/").stdout
    assert (
        thanos.docker(
            "exec", "shop-db-1", "psql", "-U", "app", "-h", "db", "-Atc", "show shared_buffers", "shop"
        ).stdout
        == "16MB\n"
    )
    assert thanos.docker("exec", "shop-cache-1", "redis-cli", "-h", "cache", "ping").stdout == "PONG\n"


def test_a_web_service_fails_as_asked(thanos: Node) -> None:
    start = time.monotonic()
    assert fetch(thanos, "/work?seconds=0.5").startswith("version=1")
    assert time.monotonic() - start >= 0.5
    assert fetch(thanos, "/fault?broken=1") == "broken=1 slow=0 leak=0\n"
    assert fetch(thanos, "/health") == "broken\n"
    assert (
        thanos.docker("exec", "shop-web-1", "wget", "-qO-", "http://127.0.0.1:8080/health", check=False).returncode == 1
    )
    assert fetch(thanos, "/fault?broken=0&leak=20") == "broken=0 slow=0 leak=20\n"
    died = thanos.docker("wait", "shop-web-1", timeout=30).stdout
    assert died == "137\n"  # beyond its 8 MiB
    thanos.docker("start", "shop-web-1")


def test_a_web_service_finishes_what_it_began(thanos: Node) -> None:
    thanos.run("until curl -fs localhost:8080/health; do sleep 0.1; done", timeout=20)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(fetch, thanos, "/work?seconds=1.5")
        time.sleep(0.5)
        thanos.docker("stop", "--time", "10", "shop-web-1")
        assert answer.result().startswith("version=1")
    assert thanos.docker("inspect", "--format", "{{.State.ExitCode}}", "shop-web-1").stdout == "0\n"
    thanos.docker("start", "shop-web-1")


def test_a_smart_shutdown_waits_for_its_clients(thanos: Node) -> None:
    thanos.docker(
        "exec", "-d", "shop-db-1", "psql", "-h", "127.0.0.1", "-U", "app", "-c", "select pg_sleep(30)", "shop"
    )
    thanos.run(
        "until docker exec shop-db-1 psql -h 127.0.0.1 -U app -Atc \"select 1 from pg_stat_activity where query like '%sleep(30)'\" shop | grep -q 1; do sleep 0.1; done",
        timeout=20,
    )
    thanos.docker("stop", "--time", "2", "shop-db-1")
    assert thanos.docker("inspect", "--format", "{{.State.ExitCode}}", "shop-db-1").stdout == "137\n"
    thanos.docker("start", "shop-db-1")


def test_a_slice_holds_all_that_is_in_it(lab: Lab, thanos: Node) -> None:
    limit = "[Slice]\nMemoryAccounting=yes\nMemoryMax=40M\nMemoryLimit=40M\n"
    thanos.put(limit, "/etc/systemd/system/small.slice")
    thanos.run("systemctl daemon-reload", sudo=True)
    image = f"{lab.registry}/web:1"
    thanos.docker("run", "--detach", "--name", "hog", "--cgroup-parent", "small.slice", "--env", "LEAK=20", image)
    assert thanos.docker("wait", "hog", timeout=30).stdout == "137\n"
    thanos.docker("rm", "hog")


def test_nvml_shows_the_cards_that_are_listed(lab: Lab) -> None:
    node = lab.node("oracle1")
    ask = "import ctypes; n = ctypes.CDLL('libnvidia-ml.so.1'); c = ctypes.c_uint(); print(n.nvmlInit_v2(), n.nvmlDeviceGetCount_v2(ctypes.byref(c)), c.value)"
    assert node.run(f'python3 -c "{ask}"').stdout == "9 1 0\n"
    node.put("NVIDIA_L4 23034 1200 15 41\nNVIDIA_L4 23034 0 0 30\n", "/etc/fake-nvml")
    assert node.run(f'python3 -c "{ask}"').stdout == "0 0 2\n"


def test_a_node_that_is_cut_off_comes_back(lab: Lab) -> None:
    node = lab.node("oracle1")
    node.cut()
    assert not node.reachable()
    assert lab.node("thanos").answers()
    node.mend()
    assert node.reachable()
    node.pause()
    assert not node.reachable()
    node.unpause()
    assert node.reachable()


def test_power_loss_ends_processes_and_keeps_the_disk(thanos: Node) -> None:
    thanos.run("echo kept > kept; sync; nohup sleep 1000 >/dev/null 2>&1 &")
    thanos.docker("exec", "shop-db-1", "psql", "-h", "127.0.0.1", "-U", "app", "-c", "create table kept()", "shop")
    thanos.kill()
    assert not thanos.reachable()
    thanos.boot()
    assert thanos.run("cat kept; pgrep sleep || echo none").stdout == "kept\nnone\n"
    thanos.docker("start", "shop-db-1")
    thanos.run("until docker exec shop-db-1 pg_isready -qh 127.0.0.1; do sleep 0.2; done", timeout=30)
    thanos.docker("exec", "shop-db-1", "psql", "-h", "127.0.0.1", "-U", "app", "-c", "select from kept", "shop")


def test_a_reboot_is_one(lab: Lab) -> None:
    node = lab.node("oracle1")
    node.run("touch /run/before", sudo=True)
    node.run("systemctl reboot", sudo=True, check=False)
    gone = "! test -e /run/before && docker version >/dev/null"
    wait_for("the node is new", lambda: node.run(gone, check=False, timeout=20).returncode == 0)


def test_a_node_comes_and_goes(lab: Lab) -> None:
    fresh = lab.add("fresh", Size(memory=512 * MIB))
    assert fresh.run("nproc").stdout.strip() == str(os.cpu_count())
    assert Lab.open(lab.name).node("fresh").address == fresh.address
    lab.remove("fresh")
    assert "fresh" not in lab.ssh_config.read_text()
    assert f"{lab.name}-fresh" not in everything(lab.engine, lab.name)


def test_labs_live_side_by_side_and_leave_nothing(lab: Lab, engine: Engine) -> None:
    name = f"aside-{os.getpid()}"
    with Lab(name, ["thanos"]) as other:
        assert other.node("thanos").address != lab.node("thanos").address
        assert other.registry != lab.registry
        assert other.node("thanos").docker("pull", "--quiet", f"{other.registry}/web:2").stdout
        with pytest.raises(LabError, match="is up already"):
            Lab(name, ["thanos"]).up()
        assert len(everything(engine, name)) == 4
        folder = other.folder
    assert everything(engine, name) == []
    assert not folder.exists()
    assert lab.node("thanos").answers()


def test_what_fails_says_so(lab: Lab) -> None:
    with pytest.raises(CommandError, match="no such thing") as failure:
        lab.node("thanos").run("echo no such thing >&2; exit 3")
    assert failure.value.returncode == 3
    with pytest.raises(LabError, match=r"has no node loki; there are: thanos, oracle1\."):
        lab.node("loki")
    with pytest.raises(LabError, match="no name for a lab"):
        Lab("Big", ["one1"])


def test_the_mirror_is_read_from_both_formats_of_apt(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text(
        "# deb http://no.example/ bookworm main\ndeb [arch=amd64] https://other.example/ bookworm-pgdg main\n"
    )
    with pytest.raises(LabError, match="names no Debian archive"):
        mirror(tmp_path)
    stanzas = "Types: deb\nURIs: http://security.example/\nSuites: bookworm-security\nComponents: main\n\nTypes: deb\n# a note\nURIs: http://mirror.example/debian/\nSuites: bookworm\n bookworm-updates\nComponents: main\n"
    (tmp_path / "sources.list.d" / "debian.sources").write_text(stanzas)
    assert mirror(tmp_path).address == "http://mirror.example/debian"
    (tmp_path / "sources.list").write_text(
        "deb [signed-by=/k arch=amd64] http://line.example/debian trixie main contrib # ours\n"
    )
    assert mirror(tmp_path).address == "http://line.example/debian"


def test_a_name_tries_its_networks_in_the_same_order() -> None:
    first, *rest = candidates("shop")
    assert next(candidates("shop")) == first
    assert next(candidates("other")) != first
    assert not any(str(one).startswith(("10.200.", "10.201.")) for one in [first, *rest])
    assert len({first, *rest}) == 256 * 101
