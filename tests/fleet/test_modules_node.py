"""Looking at a node, locking it, its journal, and the files of a plan: on a real one."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from modules import COMPOSE as COMPOSE_LABEL
from modules import Hands
from yard import untouched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab import Lab

MIB = 1 << 20
COMPOSE = """
services:
  web:
    image: REGISTRY/web:1
    ports: ["8080:8080"]
    stop_grace_period: 1s
    cgroup_parent: bayplan-test.slice
    deploy: {resources: {limits: {memory: 100m, cpus: "0.5"}}}
  cache:
    image: REGISTRY/redis:1
    volumes: ["cache:/data", "./conf:/conf:ro"]
volumes: {cache: {}}
"""
OWNER = {"host": "desk", "user": "ada", "pid": 7, "since": "1"}


@pytest.fixture(scope="module")
def one(lab_of: Callable[..., Lab]) -> Hands:
    made = Hands(lab_of(["one"]), "one")
    made.node.put("x", "/opt/shop/conf/x")
    made.deploy(COMPOSE)
    return made


@pytest.fixture
def hands(one: Hands) -> Iterator[Hands]:
    yield one
    one.node.run("rm -rf /var/lib/bayplan /etc/systemd/system/bayplan*; systemctl daemon-reload", sudo=True)


def look(hands: Hands) -> dict[str, Any]:
    return hands.good("node_facts")


def test_facts_are_what_docker_and_the_kernel_say(hands: Hands) -> None:
    before = untouched(hands.node)
    facts = look(hands)["facts"]
    assert untouched(hands.node) == before

    cache, web = facts["containers"]
    assert (web["project"], web["service"], web["number"], web["state"], web["health"]) == (
        "shop",
        "web",
        1,
        "running",
        "healthy",
    )
    assert web["id"] == hands.container("web")["Id"]
    assert web["configured"] == {**web["kernel"], "pids": None}
    assert (web["kernel"]["memory"], web["kernel"]["cpus"]) == (100 * MIB, 500)
    assert (web["kernel"]["cgroup_parent"], web["ports"]) == ("bayplan-test.slice", ["8080:8080/tcp"])
    assert web["usage"]["memory"] >= web["usage"]["unreclaimable"] > 0
    assert [(one["type"], one["target"], one["rw"]) for one in cache["mounts"]] == [
        ("bind", "/conf", False),
        ("volume", "/data", True),
    ]
    (volume,) = facts["volumes"]
    du = int(
        hands.node.run("du -s --block-size=1 /var/lib/docker/volumes/shop_cache/_data", sudo=True).stdout.split()[0]
    )
    assert (volume["name"], volume["project"], volume["key"]) == ("shop_cache", "shop", "cache")
    assert volume["size"] == du
    version = json.loads(hands.node.docker("version", "--format", "{{json .Server}}").stdout)["Version"]
    assert (facts["docker"], facts["cgroup_driver"], facts["cgroup"], facts["arch"]) == (version, "systemd", 1, "amd64")
    assert facts["host_key"] in hands.node.run("cat /etc/ssh/ssh_host_ed25519_key.pub").stdout
    assert (facts["release"], facts["lock"], facts["journal"]["lines"], facts["gpus"]) == ("", None, 0, [])


def test_cards_are_seen_by_the_library_and_without_it_there_are_none(hands: Hands) -> None:
    import pynvml  # noqa: PLC0415 - its file is what is needed

    with open(pynvml.__file__, encoding="utf-8") as file:  # noqa: PTH123 - as it is installed
        hands.node.put(file.read(), "/opt/pynvml.py")
    hands.node.put("NVIDIA_L4 23034 1200 15 41\n", "/etc/fake-nvml")
    (card,) = hands.good("node_facts", pynvml="/opt/pynvml.py")["facts"]["gpus"]
    assert (card["index"], card["model"], card["memory"]) == (0, "NVIDIA L4", 23034 * MIB)
    hands.node.put("error 9\n", "/etc/fake-nvml")
    assert hands.good("node_facts", pynvml="/opt/pynvml.py")["facts"]["gpus"] == []
    assert hands.good("node_facts", pynvml="/opt/none.py")["facts"]["gpus"] == []


def test_keys_change_with_what_a_plan_depends_on_and_with_nothing_else(hands: Hands) -> None:
    first = look(hands)["keys"]
    hands.node.run("docker restart shop-web-1 && docker exec shop-cache-1 sh -c 'head -c 9000000 /dev/zero > /data/x'")
    assert look(hands)["keys"] == first
    hands.node.run("docker update --cpus .6 shop-web-1")
    now = look(hands)["keys"]
    assert {key for key in now if now[key] != first[key]} == {"container/shop/web/1"}
    hands.node.run(
        "docker update --cpus .5 shop-web-1; systemctl set-property --runtime system.slice CPUWeight=99", sudo=True
    )
    now = look(hands)["keys"]
    assert {key for key in now if now[key] != first[key]} == {"drop-ins"}
    hands.node.run("rm -r /run/systemd/system.control/system.slice.d; systemctl daemon-reload", sudo=True)
    assert look(hands)["keys"] == first


def test_one_run_at_a_time(hands: Hands) -> None:
    mine = {"release_plan": "p1", "run": "r1"}
    assert hands.good("lease", **mine, owner=OWNER)["changed"]
    refused = hands("lease", release_plan="p1", run="r2")
    assert (refused["failed"], refused["outcome"], refused["holder"]["owner"]) == (True, "locked", OWNER)
    refused = hands.services("stopped", {"project": "shop", "service": "web"}, run="r2")
    assert (refused["failed"], refused["outcome"]) == (True, "locked")
    assert hands.container("web")["State"]["Running"]
    assert not hands.good("lease", **mine)["changed"]
    taken = hands.good("lease", release_plan="p1", run="r2", resume=True, dead="r1")
    assert taken["taken_from"]["run"] == "r1"
    assert look(hands)["facts"]["lock"]["run"] == "r2"
    assert not hands.good("lease", **mine, state="free")["changed"]
    assert hands.good("lease", run="r2", state="free")["changed"]
    assert look(hands)["facts"]["lock"] is None


def test_a_long_step_keeps_the_lease_and_the_node_to_itself(hands: Hands) -> None:
    """A step goes on when its control process dies: nobody may begin beside it, though the lease would have ended."""
    hands.node.run(f"docker run -d --name stubborn --stop-timeout 25 -l {COMPOSE_LABEL}.project=shop -l {COMPOSE_LABEL}.service=stubborn "
                   f"-l {COMPOSE_LABEL}.oneoff=False -l {COMPOSE_LABEL}.container-number=1 --entrypoint sh {hands.lab.registry}/web:1 "
                   "-c \"trap '' TERM; while :; do sleep 1; done\"")  # fmt: skip
    hands.good("lease", release_plan="p1", run="r1", seconds=12)
    item = {"project": "shop", "service": "stubborn"}
    found: list[dict[str, Any]] = []
    step = threading.Thread(target=lambda: found.append(hands.services("stopped", item, run="r1")))
    step.start()
    time.sleep(18)
    other = hands("lease", release_plan="p2", run="r2")
    assert (other["failed"], other["outcome"]) == (True, "locked"), other
    step.join()
    hands.node.docker("rm", "-f", "stubborn")
    assert found[0]["changed"], found
    time.sleep(13)
    assert hands.good("lease", release_plan="p2", run="r2")["taken_from"]["run"] == "r1"


def test_the_journal_is_a_chain_and_its_damage_shows(hands: Hands) -> None:
    for what in ("apply", "finish"):
        line = hands.good("journal", release_plan="p1", run="r1", event="done", what=what, step="1", data={"a": 1})[
            "line"
        ]
    found = hands.good("journal", state="read", last=1)
    assert (found["count"], found["valid"], found["lines"]) == (2, True, [line])
    assert look(hands)["facts"]["journal"] == {"lines": 2, "valid": True, "last": line, "last_act": line}
    hands.node.run("sed -i 's/apply/aplly/' /var/lib/bayplan/shop/journal.jsonl", sudo=True)
    assert hands.good("journal", state="read")["why"] == "line 1 was changed after it was written"


def unit(memory: str) -> dict[str, str]:
    return {"units/bayplan-test.slice": f"[Slice]\nMemoryMax={memory}\n"}


def limit(hands: Hands) -> int:
    file = "/sys/fs/cgroup/memory/bayplan.slice/bayplan-test.slice/memory.limit_in_bytes"
    return int(hands.node.read(file))


def test_slices_grow_with_the_files_and_shrink_when_all_is_done(hands: Hands) -> None:
    found = hands.release("p1", COMPOSE, files=unit("512M"), folders=["/srv/class/shop"])
    assert found["changed"]
    assert found["units"]["written"] == ["bayplan-test.slice"]
    assert limit(hands) == 512 * MIB
    assert (
        hands.node.run("test -d /srv/class/shop && test ! -e /var/lib/bayplan/shop/current", sudo=True).returncode == 0
    )
    assert not hands.release("p1", COMPOSE, files=unit("512M"), folders=["/srv/class/shop"])["changed"]
    assert hands.good("release", release_plan="p1", state="current")["changed"]

    before = untouched(hands.node)
    checked = hands(
        "release",
        release_plan="p2",
        files={"shop/compose.yaml": COMPOSE, **unit("256M")},
        projects={"shop": {"root": "/x"}},
        check=True,
    )
    assert checked["changed"]
    assert "-MemoryMax=512M\n+MemoryMax=256M" in checked["printed"]
    assert untouched(hands.node) == before

    assert hands.release("p2", COMPOSE, files=unit("256M"))["units"]["deferred"] == ["bayplan-test.slice"]
    assert limit(hands) == 512 * MIB
    now = hands.good("release", release_plan="p2", state="current")
    assert (now["previous"], limit(hands)) == ("p1", 256 * MIB)
    assert look(hands)["facts"]["release"] == "p2"
    assert look(hands)["facts"]["deployed"]["shop"]["root"] == "/opt/shop"
    assert not hands.good("release", release_plan="p2", state="current")["changed"]


def test_a_slice_never_shrinks_below_what_is_in_it(hands: Hands) -> None:
    hands.release("p1", COMPOSE, files=unit("512M"))
    hands.good("release", release_plan="p1", state="current")
    hands.release("p2", COMPOSE, files=unit("100K"))
    found = hands("release", release_plan="p2", state="current")
    assert found["failed"]
    assert "bayplan-test.slice holds" in found["msg"]
    assert limit(hands) == 512 * MIB
    assert look(hands)["facts"]["release"] == "p1"


def test_a_slice_that_a_drop_in_holds_back_is_not_believed(hands: Hands) -> None:
    hands.node.run("systemctl set-property --runtime bayplan-test.slice MemoryMax=300M", sudo=True)
    found = hands("release", release_plan="p1", files=unit("512M"))
    hands.node.run("rm -r /run/systemd/system.control/bayplan-test.slice.d; systemctl daemon-reload", sudo=True)
    assert found["failed"]
    assert "the kernel holds bayplan-test.slice to 300 MiB, not 512 MiB, by /run/systemd/system.control" in found["msg"]


def test_slices_go_when_nobody_is_in_them(hands: Hands) -> None:
    files = {**unit("512M"), "units/bayplan-empty.slice": "[Slice]\nMemoryMax=1G\n"}
    hands.release("p1", COMPOSE, files=files)
    hands.release("p2", COMPOSE)
    found = hands.good("release", release_plan="p2", state="current")
    assert (found["units"]["removed"], found["units"]["kept"]) == (["bayplan-empty.slice"], ["bayplan-test.slice"])
    assert hands.node.run("ls /etc/systemd/system/").stdout.count("bayplan") == 1


def test_a_release_does_not_change_and_a_torn_one_is_mended(hands: Hands) -> None:
    hands.release("p1", COMPOSE)
    other = hands(
        "release",
        release_plan="p1",
        files={"shop/compose.yaml": "services: {}\n"},
        projects={"shop": {"root": "/opt/shop"}},
    )
    assert "release p1 is here with other texts: shop/compose.yaml" in other["msg"]
    hands.node.run("truncate -s 20 /var/lib/bayplan/shop/releases/p1/shop/compose.yaml", sudo=True)
    torn = hands("release", release_plan="p1", state="current")
    assert "is not as it was written" in torn["msg"]
    assert hands.release("p1", COMPOSE)["files"] == ["shop/compose.yaml"]
    assert hands.good("release", release_plan="p1", state="current")["changed"]


def test_the_helper_speaks_of_this_release(hands: Hands) -> None:
    hands.release(
        "p1", COMPOSE.replace("8080:8080", "${BAYPLAN_ADDRESS_ONE:?}:8080:8080"), addresses={"one": "127.0.0.9"}
    )
    said = hands.node.run("/var/lib/bayplan/shop/releases/p1/shop/compose config", sudo=True).stdout
    assert "host_ip: 127.0.0.9" in said


def test_nobody_who_is_not_root_gets_a_traceback(hands: Hands) -> None:
    from modules import ANSIBLE, REPOSITORY  # noqa: PLC0415 - here alone

    words = [
        ANSIBLE,
        "one",
        "-i",
        hands.lab.folder / "hosts.yml",
        "-m",
        "bayplan.fleet.lease",
        "-a",
        '{"fleet": "shop", "run": "r"}',
    ]
    said = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=False).stdout
    assert "run this as root (become: true)" in said
