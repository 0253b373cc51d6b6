"""What is derived is the same fleet, smaller: read, planned, and compared with the original."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from demo import stand_ins

from bayplan import pipeline
from bayplan.model.names import Name
from bayplan.workspace import workspace

if TYPE_CHECKING:
    from collections.abc import Callable

    from demo.derive import Derived

    from bayplan.model.fleet import Fleet
    from bayplan.policy.fleet import Policy

POLICIES = Path(__file__).parents[3] / "policies"
MIB = 2**20
SHOP = {
    "policy.yml": """\
nodes:
  one: {cpus: 8, memory: 16GiB, ceilings: {memory: 50%}, reserve: {cpus: 1, memory: 1GiB}, core_map: {os: 0, db: 1-3}}
  two: {cpus: 8, memory: 16GiB, gpus: [{model: T4, memory: 16GiB}]}
sources:
  shop: {compose: c/shop.yml, node: one}
tiers: {data: {priority: 1000, services: [db, "cache*"]}}
pools: {night: {scaling: on-demand, services: [job], quota: {requests: {memory: 1GiB, cpus: 1}}}}
services:
  web: {limits: {memory: 2GiB, cpus: 2}, compose: {environment: !override {ONLY: 1}, ulimits: {nofile: 65536}}}
  db: {limits: {memory: 512MiB}, cores: db, tuning: postgres}
  job: {limits: {memory: 1GiB}, gpu: 2GiB, placement: two}
  cache: {limits: {memory: 4.4375GiB}}
volumes: {data: {size: 10GB}}
estimates: [{match: web, memory: 1GiB}]
expect: [{of: node/one, memory: "<= 8GiB"}]
rollout: {window: "22:00-05:00", stages: [{name: all, changes: [resize, recreate, start, stop, schedule, scale, node, move], expect: [{of: node/one, memory: "<= 8GiB"}]}]}
""",
    "c/shop.yml": """\
services:
  web:
    build: .
    cap_add: [NET_ADMIN]
    ulimits: {nofile: 65536}
    cpuset: 0-3
    command: [serve, --port, "8000"]
    environment: {KEEP: "1", JAVA_OPTS: -Xms2g -Xmx2g}
    expose: ["9100"]
    ports: ["80:8000", "53:53/udp"]
    depends_on: {db: {condition: service_healthy}}
    healthcheck: {test: [CMD, curl, -f, "http://localhost:9200/up"], interval: 45s}
    deploy: {resources: {limits: {cpus: "0.05", memory: 1G}, reservations: {cpus: "0.5", memory: 64M}}}
    volumes: ["./conf/web.ini:/etc/web.ini:ro", "./static:/static", "/var/run/docker.sock:/var/run/docker.sock"]
    env_file: [web.env]
  db:
    image: registry.example/library/postgres:16-alpine
    command: postgres -c shared_buffers=2GB -c work_mem=64MB -c max_connections=100
    environment: {POSTGRES_PASSWORD: "${DB_PASSWORD:?set it}"}
    healthcheck: {test: [CMD-SHELL, "pg_isready -U shop"], interval: 10s}
    volumes: ["data:/var/lib/postgresql/data", "./db:/docker-entrypoint-initdb.d"]
    mem_limit: 128m
  cache: {image: "redis:7", command: "redis-server --port 6380 --maxmemory 100mb"}
  job: {image: "job:1", mem_limit: 2g, cpus: 0.5, healthcheck: {disable: true}}
  edge: {image: "nginx:alpine", command: nginx-debug, networks: [outside], healthcheck: {test: [CMD, curl, -f, localhost]}}
networks: {outside: {external: true, name: edge-net}}
volumes: {data: {driver: nfs, driver_opts: {o: addr=nas}}}
""",
}


@pytest.fixture(scope="module")
def shop(folder: Callable[[dict[str, str]], Path], derived: Callable[..., Derived]) -> Derived:
    """Return the derived policy of a synthetic shop that has one of everything."""
    return derived(folder(SHOP))


def read(derived: Derived) -> Policy:
    """Read a derived policy; it must be without error."""
    policy = pipeline.read(workspace(derived.folder))
    assert [str(one) for one in policy.findings if one.is_error] == []
    return policy


def edges(fleet: Fleet) -> set[tuple[str, str, str]]:
    """Return who depends on whom, and mounts what, and publishes which port."""
    found = set()
    for name, service in fleet.services.items():
        found |= {(str(name), "needs", other) for other in service.body.get("depends_on") or ()}
        found |= {(str(name), "mounts", f"{one.source}:{one.target}") for one in service.mounts}
        found |= {(str(name), "publishes", str(one)) for one in service.ports}
        found |= {(str(name), "joins", f"{one.network} {one.ipv4}") for one in service.networks}
        found.add((str(name), "is called", service.container_name))
    return found


@pytest.mark.parametrize("fleet", ["bev", "home-lab", "fixwurx", "sutazai"])
def test_the_same_services_and_edges(fleet: str, derived: Callable[..., Derived]) -> None:
    original, policy = pipeline.read(workspace(POLICIES / fleet)), read(derived(POLICIES / fleet))
    assert policy.environment == "lab"
    assert sorted(policy.as_is.services) == sorted(original.as_is.services)
    assert edges(policy.as_is) == edges(original.as_is)
    # What a policy itself defines belongs to a project that is called like it.
    assert {name.name for name in policy.to_be.services} == {name.name for name in original.to_be.services}
    assert {str(name): network.subnets for name, network in policy.as_is.networks.items()} == {
        str(name): network.subnets for name, network in original.as_is.networks.items()
    }
    assert sorted(policy.to_be.volumes) == sorted(original.to_be.volumes)


@pytest.mark.parametrize("fleet", ["bev", "home-lab", "fixwurx"])
def test_it_plans_as_the_original_does(fleet: str, derived: Callable[..., Derived]) -> None:
    def changes(folder: Path) -> tuple[bool, Counter[str]]:
        space = workspace(folder)
        made = pipeline.plan(space, pipeline.read(space))
        return made.holds, Counter(str(change.kind) for change in made.changes)

    holds, found = changes(derived(POLICIES / fleet).folder)
    assert holds
    assert found == changes(POLICIES / fleet)[1]


def test_bev_is_a_sixteenth_to_the_byte(derived: Callable[..., Derived]) -> None:
    found = derived(POLICIES / "bev")
    assert found.notes == ()
    assert found.sizes == {
        "oracle1": {"cpus": 250, "memory": 1536 * MIB},
        "starlord": {"cpus": 1500, "memory": 3904 * MIB},
        "thanos": {"cpus": 1000, "memory": 4096 * MIB},
    }
    services = read(found).to_be.services
    limits = {str(name): one.limits["memory"].amount / MIB for name, one in services.items() if "memory" in one.limits}
    assert len(limits) == 127
    assert limits["bev/postgres"] == 192
    assert limits["oracle/n8n"] == 25
    assert limits["oracle/proxy_manager"] == 25
    assert limits["oracle/telegraf"] == 12.5
    assert limits["oracle/redis-arm"] == 16  # its floor; a sixteenth would be 12.5
    assert min(limits.values()) == 8


def test_bev_keeps_its_conflicts(derived: Callable[..., Derived]) -> None:
    policy = read(derived(POLICIES / "bev"))
    worker = policy.as_is.services[Name("bev", "intelowl-celery-worker")]
    assert worker.replicas.count == 4
    assert worker.body["networks"]["bev_osint"]["ipv4_address"] == "172.21.0.20"
    after = policy.to_be.services[worker.name]
    assert (after.replicas.count, after.body["networks"]) == (2, {"bev_osint": {}})
    ports = [
        str(name) for name, one in policy.as_is.services.items() if any(port.published == 9001 for port in one.ports)
    ]
    assert ports == ["bev/live2d-avatar", "bev/tor-node-1", "oracle/minio1"]


def test_floors_and_rounding(shop: Derived) -> None:
    services = {name.name: one for name, one in read(shop).to_be.services.items()}
    before = {name.name: one for name, one in read(shop).as_is.services.items()}
    assert before["web"].limits["cpus"].amount == 50  # under the floor already: it stays
    assert before["web"].requests["memory"].amount == 6 * MIB  # Docker takes no less
    assert services["web"].limits["cpus"].amount == 130  # 2 CPUs are 125, and Docker takes hundredths
    assert services["web"].limits["memory"].amount == 128 * MIB
    assert before["db"].limits["memory"].amount == 64 * MIB  # PostgreSQL's floor; a sixteenth would be 8
    assert before["job"].limits["cpus"].amount == 100
    assert services["job"].gpu is not None
    assert services["job"].gpu.memory == 2048 * MIB
    assert read(shop).to_be.pools["night"].quota["requests"]["memory"].amount == 64 * MIB
    assert read(shop).to_be.volumes[Name("shop", "data")].size.amount == 9_768_960  # 10 GB / 1024, in whole pages


def test_a_node_grows_for_floors(shop: Derived) -> None:
    """db: 64 MiB instead of 32, web 128, cache 284, reserve 64: 540 MiB do not fit half of 1024."""
    assert shop.sizes["one"] == {"cpus": 500, "memory": 1080 * MIB}
    assert shop.notes == ("one has 1.05 GiB instead of 1 GiB (x 1.055): services do not go below their floors",)


def test_claims_that_floors_break_are_not_made(shop: Derived) -> None:
    assert "expect" not in read(shop).document.value
    assert [stage.get("expect") for stage in read(shop).document.value["rollout"].get("stages")] == [None]
    assert pipeline.plan(workspace(shop.folder), read(shop)).holds


def test_what_the_lab_runs(shop: Derived) -> None:
    services = shop.projects["shop"].bodies
    web = services["web"]
    assert web["image"] == "10.0.0.2:5000/web:1"
    assert not {"build", "cap_add", "ulimits", "cpuset"} & set(web)
    assert web["environment"] == {"KEEP": "1", "JAVA_OPTS": "-Xms128m -Xmx128m", "PORTS": "8000 9100 9200"}
    assert web["healthcheck"] == {
        "test": ["CMD", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8000/health"],
        "interval": "45s",
        "start_period": "180s",
        "start_interval": "1s",
    }
    assert services["db"]["command"] == [
        "postgres",
        "-c",
        "shared_buffers=128MB",
        "-c",
        "work_mem=4MB",
        "-c",
        "max_connections=100",
    ]
    assert services["db"]["healthcheck"]["test"] == ["CMD-SHELL", "pg_isready -U shop"]
    assert services["cache"]["command"] == ["redis-server", "--port", "6380", "--maxmemory", "6400kb"]
    assert services["cache"]["healthcheck"]["test"] == ["CMD", "redis-cli", "-p", "6380", "ping"]
    assert services["cache"]["healthcheck"]["interval"] == "60s"  # it never had one; the image probes every 5 s
    assert services["job"]["healthcheck"] == {"disable": True}
    assert services["edge"]["command"] == ["nginx-debug"]
    assert services["edge"]["healthcheck"]["test"] == ["CMD-SHELL", 'kill -0 "$$(cat /run/nginx.pid)"']
    assert shop.projects["shop"].document["volumes"] == {"data": {}}


def test_what_lies_beside(shop: Derived) -> None:
    project = shop.projects["shop"]
    assert project.root == "/opt/shop-shop"
    assert project.beside == {"conf/web.ini": "# web.ini\n", "db": None, "static": None, "web.env": ""}
    assert project.external("networks") == ["edge-net"]
    assert project.env == "DB_PASSWORD=lab\n"


def test_tags_survive(shop: Derived) -> None:
    """`!override` decides how a piece of Compose is merged: without it, KEEP would stay."""
    body = read(shop).to_be.services[Name("shop", "web")].body
    assert body["environment"] == {"ONLY": "1"}
    assert "ulimits" not in body


def test_a_smaller_story_is_closed(derived: Callable[..., Derived]) -> None:
    found = derived(POLICIES / "bev", 30)
    policy = read(found)
    services = policy.as_is.services
    assert len(services) == 30
    for name, service in services.items():
        assert {Name(name.project, one) for one in service.body.get("depends_on") or ()} <= services.keys()
    assert {"postgres", "redis", "memory-manager", "doc-analyzer-1", "tor-node-1", "live2d-avatar"} <= {
        n.name for n in services
    }
    resting = [name for name, one in policy.to_be.services.items() if one.pool]
    assert len(resting) == 7
    assert pipeline.plan(workspace(found.folder), policy).holds


def test_sizes_in_words() -> None:
    services: dict[str, Any] = {"image": "bitnami/postgresql:16", "command": ["postgres", "-c", "wal_buffers=16kB"]}
    assert stand_ins.lab_service(services, "r", "arm64")["command"] == ["postgres", "-c", "wal_buffers=1kB"]


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("pgvector/pgvector:pg16", "postgres:1"),
        ("tensorchord/pgvecto-rs:pg14-v0.2.0", "postgres:1"),
        ("quay.example:5000/x/postgres@sha256:0", "postgres:1"),
        ("prometheuscommunity/postgres-exporter", "web:1"),
        ("valkey/valkey:8", "redis:1"),
        ("redis/redis-stack", "web:1"),
        ("nginx:alpine", "nginx:1"),
        ("nginx/nginx-prometheus-exporter:1", "web:1"),
        ("", "web:1"),
    ],
)
def test_stand_ins(image: str, name: str) -> None:
    assert stand_ins.stand_in(image).name == name


@pytest.mark.parametrize(
    ("source", "target", "file"),
    [
        ("./config/postgres/init.sql", "/docker-entrypoint-initdb.d/init.sql", True),
        ("./config/influxdb/init", "/docker-entrypoint-initdb.d", False),
        ("./config/tor/torrc.node-1", "/etc/tor/torrc", True),
        ("./config/tor/torrc", "/etc/tor/torrc", True),
        ("./config/nginx/ssl", "/etc/nginx/ssl", False),
        ("./.cache", "/cache", False),
        (".", "/workspace", False),
    ],
)
def test_files_and_folders(source: str, target: str, *, file: bool) -> None:
    assert stand_ins.is_file(source, target) is file


def test_the_written_policy_is_plain_yaml(derived: Callable[..., Derived]) -> None:
    folder = derived(POLICIES / "home-lab").folder
    nodes = yaml.safe_load((folder / "policy.yml").read_text(encoding="utf-8"))["nodes"]
    assert nodes["tower"]["gpus"] == [{"model": "RTX 3090", "memory": "24GiB"}]
    assert nodes["nas"]["address"].startswith("10.0.0.")
