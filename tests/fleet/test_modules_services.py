"""Services of real Compose projects on real nodes: limits, definitions, stops, and the way back."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
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
    environment: {HOLD: "40", WHO: "${WHO:-nobody}"}
    env_file: [./web.env]
    depends_on: [cache]
    cpuset: "0"
    cpu_shares: 512
    stop_grace_period: 2s
    restart: always
    deploy: {resources: {limits: {memory: 200m, cpus: "0.5", pids: 100}}}
  cache:
    image: REGISTRY/redis:1
    volumes: ["cache:/data"]
    mem_limit: 64m
volumes: {cache: {}}
"""
WEB = {"memory": 200 * MIB, "cpus": 500, "pids": 100, "cpuset": "0", "shares": 512}
DB = """
services:
  db:
    image: REGISTRY/postgres:1
    environment: {POSTGRES_USER: shop, POSTGRES_DB: shop}
    volumes: ["data:/var/lib/postgresql/data"]
    mem_limit: 256m
    restart: always
volumes: {data: {}}
"""


def item(service: str, **more: Any) -> dict[str, Any]:
    return {"project": "shop", "service": service, "copies": 1, **more}


@pytest.fixture(scope="module")
def one(lab_of: Callable[..., Lab]) -> Hands:
    return Hands(lab_of(["one"]), "one")


@pytest.fixture
def hands(one: Hands) -> Iterator[Hands]:
    """Give each test the node as its owner left it."""
    node = one.node
    node.put("A=1\n", "/opt/shop/web.env")
    node.put("WHO=somebody\n", "/opt/shop/.env")
    one.deploy(COMPOSE)
    yield one
    node.run(
        "docker rm -f $(docker ps -aq); docker volume rm $(docker volume ls -q); docker network prune -f", check=False
    )
    node.run("rm -rf /var/lib/bayplan /opt/shop", sudo=True)


def test_limits_change_while_it_runs(hands: Hands) -> None:
    before = hands.container("web")
    after = {"memory": 150 * MIB, "swap": 50 * MIB, "cpus": 750, "pids": 150, "cpuset": "", "shares": 700}

    found = hands.services("resized", item("web", after=after))

    assert found["changed"], found
    now = hands.container("web")
    assert (now["Id"], now["State"]["StartedAt"]) == (before["Id"], before["State"]["StartedAt"])
    assert hands.kernel("web") == {
        "memory": str(150 * MIB), "swap": str(200 * MIB), "quota": "75000", "shares": "700", "cpuset": "0-1", "pids": "150",
    }  # fmt: skip
    assert not hands.services("resized", item("web", after=after))["changed"]
    assert [line["event"] for line in hands("journal", state="read")["lines"]] == ["begin", "done"]


def test_unlimited_services_get_limits_live_and_pids_lose_theirs(hands: Hands) -> None:
    given = {"memory": 80 * MIB, "reservation": 30 * MIB}
    found = hands.services("resized", item("cache", after={**given, "cpus": 1500, "pids": 50, "cpuset": "1"}))
    assert found["changed"], found
    assert hands.kernel("cache")["cpuset"] == "1"
    found = hands.services("resized", item("cache", after={**given, "cpus": 1500}))
    assert found["changed"], found
    kernel = hands.kernel("cache")
    assert (kernel["memory"], kernel["quota"], kernel["pids"], kernel["cpuset"]) == (
        str(80 * MIB),
        "150000",
        "max",
        "0-1",
    )


def test_a_cut_below_what_is_in_use_touches_nothing(hands: Hands) -> None:
    before = hands.picture()
    found = hands.services("resized", item("web", after={**WEB, "memory": 30 * MIB, "cpus": 250}))
    assert found["failed"]
    assert "holds 4" in found["msg"]
    assert "with 5 % on top, 30 MiB is too small" in found["msg"]
    assert hands.picture() == before


def test_a_limit_that_cannot_be_unset_live_is_a_recreate(hands: Hands) -> None:
    before = hands.picture()
    found = hands.services("resized", item("web", after={**WEB, "cpus": None, "memory": None}))
    assert found["failed"]
    assert "cannot change memory, cpus of a running container" in found["msg"]
    assert hands.picture() == before


def test_what_the_kernel_refuses_is_put_back_whole(hands: Hands) -> None:
    """A margin below nothing lets the module try what the kernel must refuse: cpus and pids are new by then."""
    found = hands.services(
        "resized", item("web", after={**WEB, "memory": 20 * MIB, "cpus": 250, "pids": 50}), margin=-90
    )
    assert found["failed"]
    assert found["msg"].endswith("the old limits are back")
    assert hands.kernel("web") == {
        "memory": str(200 * MIB), "swap": str(400 * MIB), "quota": "50000", "shares": "512", "cpuset": "0", "pids": "100",
    }  # fmt: skip
    assert [line["event"] for line in hands("journal", state="read")["lines"]] == ["begin", "failed"]


def test_a_live_change_settles_only_what_is_nothing_but_limits(hands: Hands) -> None:
    hands.release("p1", COMPOSE.replace("200m", "150m"))
    after = {**WEB, "memory": 150 * MIB}
    found = hands.services("resized", item("web", after=after), release_plan="p1")
    assert found["changed"], found
    before = hands.container("web")["Id"]
    found = hands.services("recreated", item("web", before=WEB, after=after), release_plan="p1")
    assert not found["changed"], found
    assert hands.container("web")["Id"] == before

    hands.release("p2", COMPOSE.replace("200m", "140m").replace('HOLD: "40"', 'HOLD: "41"'))
    after = {**WEB, "memory": 140 * MIB}
    found = hands.services("resized", item("web", after=after), release_plan="p2")
    assert "changed in more than its limits" in found["items"][0]["msg"]
    found = hands.services("recreated", item("web", before=WEB, after=after), release_plan="p2")
    assert found["changed"], found
    assert hands.container("web")["Id"] != before


def test_a_service_becomes_what_the_release_says_and_nothing_else_is_touched(hands: Hands) -> None:
    cache = hands.container("cache")["Id"]
    hands.release(
        "p1",
        COMPOSE.replace("200m", "150m").replace('HOLD: "40"', 'HOLD: "20"').replace("mem_limit: 64m", "mem_limit: 99m"),
    )
    new = item("web", before=WEB, after={**WEB, "memory": 150 * MIB})
    before = untouched(hands.node)
    checked = hands.services("recreated", new, release_plan="p1", check=True)
    assert checked["changed"]
    assert "+  memory: 150 MiB" in checked["printed"]
    assert untouched(hands.node) == before

    found = hands.services("recreated", new, release_plan="p1")
    assert found["changed"], found

    env = hands.container("web")["Config"]["Env"]
    assert {"HOLD=20", "A=1", "WHO=somebody"} <= set(env)
    assert hands.kernel("web")["memory"] == str(150 * MIB)
    assert hands.container("cache")["Id"] == cache
    assert not hands.services("recreated", new, release_plan="p1")["changed"]
    assert not hands.services("started", new, release_plan="p1")["changed"]


@pytest.mark.parametrize("fault", ['BROKEN: "1"', 'CRASH: "3"'])
def test_what_does_not_come_up_goes_back_to_what_was(hands: Hands, fault: str) -> None:
    """Also the limits that somebody gave the old container by hand, and that are in no file."""
    hands.services("resized", item("web", after={**WEB, "memory": 123 * MIB}))
    was = hands.container("web")
    hands.release("p1", COMPOSE.replace('HOLD: "40"', fault))

    found = hands.services("recreated", item("web", before=WEB, after=WEB), release_plan="p1", timeout=30)

    assert (found["failed"], found["outcome"]) == (True, "rolled-back"), found
    now = hands.container("web")
    assert now["State"]["Health"]["Status"] == "healthy"
    assert (now["Image"], now["Name"]) == (was["Image"], was["Name"])
    assert sorted(now["Config"]["Env"]) == sorted(was["Config"]["Env"])
    assert hands.kernel("web")["memory"] == str(123 * MIB)
    assert now["HostConfig"]["RestartPolicy"]["Name"] == "always"


def test_an_image_that_cannot_be_had_stops_nothing(hands: Hands) -> None:
    before = hands.container("web")
    hands.release("p1", COMPOSE.replace("web:1", "web:77"))
    found = hands.services("recreated", item("web", before=WEB, after=WEB), release_plan="p1")
    assert found["failed"]
    assert "web:77 of shop/web is not here and cannot be fetched" in found["msg"]
    now = hands.container("web")
    assert (now["Id"], now["State"]["StartedAt"]) == (before["Id"], before["State"]["StartedAt"])


def test_copies_come_and_go_and_those_that_stay_are_not_touched(hands: Hands) -> None:
    first = hands.container("web")["Id"]
    hands.release("p1", COMPOSE.replace("deploy: {", "deploy: {replicas: 3, "))
    found = hands.services("recreated", item("web", copies=3, before=None, after=WEB), release_plan="p1")
    assert found["changed"], found
    assert first in {one["Id"] for one in hands.containers("web")}
    assert len(hands.containers("web")) == 3
    hands.release("p2", COMPOSE)
    found = hands.services("recreated", item("web", after=WEB), release_plan="p2")
    assert found["changed"], found
    assert len(hands.containers("web")) == 1


def test_a_database_with_a_client_is_stopped_cleanly_and_not_revived(hands: Hands) -> None:
    hands.node.run("docker rm -f $(docker ps -aq)")
    hands.deploy(DB)
    hands.release("p1", DB)
    hands.node.docker("exec", "-d", "shop-db-1", "psql", "-U", "shop", "-c", "select pg_sleep(600)")
    start = time.monotonic()
    found = hands.services("stopped", item("db"), stateful=True)
    assert found["changed"], found
    assert time.monotonic() - start < 40  # SIGTERM would wait for the client for ever
    assert hands.container("db")["State"]["ExitCode"] == 0
    control = hands.node.run(
        "od -An -tu4 -j16 -N4 /var/lib/docker/volumes/shop_data/_data/global/pg_control", sudo=True
    )
    assert control.stdout.split() == ["1"]
    hands.node.run("systemctl restart docker", sudo=True)
    time.sleep(2)
    assert not hands.container("db")["State"]["Running"]
    assert not hands.services("stopped", item("db"), stateful=True)["changed"]

    found = hands.services("started", item("db"), release_plan="p1")
    assert found["changed"], found
    now = hands.container("db")
    assert (now["State"]["Running"], now["HostConfig"]["RestartPolicy"]["Name"]) == (True, "always")


def test_a_service_that_the_release_gave_away_can_be_called_back(hands: Hands) -> None:
    hands.release("p1", COMPOSE.replace("  web:", "  other:"))
    was = hands.container("web")["Id"]
    found = hands.services("stopped", item("web"), release_plan="p1")
    assert found["changed"], found
    found = hands.services("started", item("web"), release_plan="p1")
    assert found["changed"], found
    now = hands.container("web")
    assert (now["Id"], now["State"]["Running"]) == (was, True)
    assert now["HostConfig"]["RestartPolicy"]["Name"] == "always"


def test_a_resting_service_is_there_and_stays_asleep(hands: Hands) -> None:
    hands.release("p1", COMPOSE.replace("200m", "150m"))
    new = item("web", before=WEB, after={**WEB, "memory": 150 * MIB})
    found = hands.services("rested", new, release_plan="p1")
    assert found["changed"], found
    assert hands.container("web")["State"]["Status"] == "created"
    assert not hands.services("rested", new, release_plan="p1")["changed"]
    hands.node.run("systemctl restart docker", sudo=True)
    time.sleep(2)
    assert hands.container("web")["State"]["Status"] == "created"
    found = hands.services("started", new, release_plan="p1")
    assert found["changed"], found
    assert hands.kernel("web")["memory"] == str(150 * MIB)


def test_a_service_that_runs_is_put_to_rest_as_it_is(hands: Hands) -> None:
    hands.release("p1", COMPOSE)
    was = hands.container("web")["Id"]
    found = hands.services("rested", item("web", after=WEB), release_plan="p1")
    assert found["changed"], found
    assert hands.container("web")["Id"] == was
    hands.node.run("systemctl restart docker", sudo=True)
    time.sleep(2)
    assert not hands.container("web")["State"]["Running"]


def test_removing_a_service_keeps_its_volume(hands: Hands) -> None:
    found = hands.services("removed", item("cache"))
    assert found["changed"], found
    assert hands.containers("cache") == []
    assert hands.node.docker("volume", "inspect", "-f", "{{.Name}}", "shop_cache").stdout.strip() == "shop_cache"
    assert not hands.services("removed", item("cache"))["changed"]


def test_what_left_or_came_half_does_not_start(hands: Hands) -> None:
    hands.release("p1", COMPOSE)
    hands.services("stopped", item("cache"), release_plan="p1")
    hands.node.put("{}", "/var/lib/bayplan/shop/fences/shop.cache")
    found = hands.services("started", item("cache"), release_plan="p1")
    assert "shop/cache was moved away from this node" in found["msg"]
    hands.node.run("rm /var/lib/bayplan/shop/fences/shop.cache; mkdir -p /var/lib/bayplan/shop/incomplete; "
                   "touch /var/lib/bayplan/shop/incomplete/volume:shop_cache", sudo=True)  # fmt: skip
    found = hands.services("started", item("cache"), release_plan="p1")
    assert "a copy that is not complete: volume:shop_cache" in found["msg"]
    assert not hands.container("cache")["State"]["Running"]


def test_items_after_a_failure_are_not_begun(hands: Hands) -> None:
    small = item("web", after={**WEB, "memory": 20 * MIB})
    found = hands.services(
        "resized", item("cache", after={"memory": 99 * MIB}), small, item("cache", after={"memory": 66 * MIB})
    )
    assert (found["failed"], found["changed"], found["failed_item"]) == (True, True, "1.one.1")
    assert [one["service"] for one in found["items"]] == ["shop/cache"]
    assert hands.kernel("cache")["memory"] == str(99 * MIB)


def test_a_step_that_was_killed_in_the_middle_is_finished_by_the_next(hands: Hands) -> None:
    """Compose has renamed the old container by then, or removed it, or made the new one: whatever it was."""
    hands.release("p1", COMPOSE.replace('HOLD: "40"', 'HOLD: "20", SLOW: "2"'))
    new = item("web", before=WEB, after=WEB)
    for delay in (0.6, 1.2, 2.0, 3.0):
        told = json.dumps({"delay": delay})
        hands.node.run("docker update --cpus .45 shop-web-1 || true")  # something to do each time
        hands.node.run(
            f"(sleep {delay + 1.5}; pkill -9 -f '[d]ocker.compose.*up'; pkill -9 -f '[A]nsiballZ_services') >/dev/null 2>&1 &",
            sudo=True,
        )
        hands.services("recreated", new, release_plan="p1", timeout=20)
        found = hands.services("recreated", new, release_plan="p1", timeout=60)
        assert not found["failed"], (told, found["msg"])
        (web,) = hands.containers("web")
        assert (web["Name"], web["State"]["Running"]) == ("/shop-web-1", True), told
        assert hands.kernel("web")["quota"] == "50000", told


def test_who_shares_the_network_of_a_replaced_service_is_replaced_too(hands: Hands) -> None:
    compose = COMPOSE.replace("volumes: {cache: {}}", "  side:\n    image: REGISTRY/web:1\n    network_mode: service:web\n"
                              "    environment: {PORTS: '9090', HEALTH_PORT: '9090'}\nvolumes: {cache: {}}")  # fmt: skip
    hands.deploy(compose)
    hands.release("p1", compose.replace('HOLD: "40"', 'HOLD: "20"'))
    same = item("side", before={}, after={})
    assert hands.services("recreated", item("web", before=None, after=WEB), release_plan="p1")["changed"]
    web = hands.container("web")["Id"]
    assert hands.container("side")["HostConfig"]["NetworkMode"] != f"container:{web}"
    found = hands.services("recreated", same, release_plan="p1")
    assert "shares the network of a container that is gone" in found["items"][0]["msg"]
    assert hands.container("side")["HostConfig"]["NetworkMode"] == f"container:{web}"
    again = hands.services("recreated", same, release_plan="p1")
    assert not again["changed"], again


def test_what_runs_once_is_done_when_it_has_ended_well(hands: Hands) -> None:
    compose = COMPOSE.replace("volumes: {cache: {}}", "  once:\n    image: REGISTRY/web:1\n    entrypoint: [sh, -c, 'exit 0']\n"
                              "    healthcheck: {disable: true}\nvolumes: {cache: {}}")  # fmt: skip
    hands.release("p1", compose)
    once = item("once", before=None, after={})
    found = hands.services("started", once, release_plan="p1")
    assert found["changed"], found
    state = hands.container("once")["State"]
    assert (state["Status"], state["ExitCode"]) == ("exited", 0)
    assert not hands.services("started", once, release_plan="p1")["changed"]
    hands.release("p2", compose.replace("exit 0", "exit 4"))
    found = hands.services("recreated", once, release_plan="p2", timeout=15)
    assert (found["failed"], found["outcome"]) == (True, "rolled-back"), found


def test_an_image_is_fetched_before_it_is_needed(hands: Hands) -> None:
    hands.release("p1", COMPOSE.replace("web:1", "web:2"))
    hands.node.run(f"docker image rm -f {hands.lab.registry}/web:2", check=False)
    was = hands.picture()
    found = hands.services("fetched", item("web"), release_plan="p1")
    assert found["changed"], found
    assert hands.node.docker("image", "inspect", f"{hands.lab.registry}/web:2").returncode == 0
    assert hands.picture() == was
    assert not hands.services("fetched", item("web"), release_plan="p1")["changed"]


def test_a_fixed_address_that_somebody_drew_meanwhile_is_given_back(hands: Hands) -> None:
    """The address of a stopped container is free, and Docker gives the lowest free one to whoever comes."""
    networks = "networks: {own: {ipam: {config: [{subnet: 10.77.0.0/24, gateway: 10.77.0.1}]}}}\n"
    compose = (
        "services:\n"
        "  fixed: {image: 'REGISTRY/redis:1', networks: {own: {ipv4_address: 10.77.0.2}}}\n"
        f"  free: {{image: 'REGISTRY/redis:1', networks: [own], depends_on: [fixed]}}\n{networks}"
    )
    hands.node.run("docker rm -f $(docker ps -aq)")
    hands.deploy(compose)
    hands.release("p1", compose)
    address = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    assert hands.services("stopped", item("fixed"), release_plan="p1")["changed"]
    hands.node.docker("restart", "shop-free-1")
    assert hands.node.docker("inspect", "-f", address, "shop-free-1").stdout.strip() == "10.77.0.2"
    found = hands.services("started", item("fixed"), release_plan="p1")
    assert found["changed"], found
    assert hands.node.docker("inspect", "-f", address, "shop-fixed-1").stdout.strip() == "10.77.0.2"
    assert hands.node.docker("inspect", "-f", address, "shop-free-1").stdout.strip() == "10.77.0.3"
