"""What can be planted into any fleet: two machines and a project of their own join it, all in order, and then it is not.

So every family has something to be wrong about in every policy: those without a card, a pool or a Compose file, too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ground import Ground, Patch, grounded, with_all, written

from bayplan.place import decide
from bayplan.render.placement import FILE as LOCK
from bayplan.render.placement import placement_text, read_placement

if TYPE_CHECKING:
    import random

    from ground import More, Where

Plant = Callable[["random.Random", Ground], Patch | None]
Said = tuple[tuple[str, Any], ...]

FILE = "guests/compose.yml"
COMPOSE = """\
services:
  web:
    image: shop/web:2.3
    healthcheck: {test: [CMD, "true"], interval: 30s}
    environment: {DATABASE_URL: "postgres://app@db:5432/app"}
    depends_on: [db]
    volumes: ["pages:/srv"]
    mem_limit: 1g
  db:
    image: postgres:17.2
    healthcheck: {test: [CMD, pg_isready], interval: 30s}
    volumes: ["data:/var/lib/postgresql/data"]
    mem_limit: 1g
  cache:
    image: shop/cache:1.4
    healthcheck: {test: [CMD, "true"], interval: 30s}
    volumes: ["kept:/data"]
    mem_limit: 1g
  job:
    image: shop/job:1.9
    healthcheck: {test: [CMD, "true"], interval: 30s}
    volumes: ["pages:/srv"]
volumes: {data: {}, kept: {}, pages: {}}
networks: {default: {}}
"""
NODES = ("guest1", "guest2")
_NAME = "guests"
_SERVICES = ("web", "db", "cache", "job")
_MACHINE = {
    "cpus": 16,
    "memory": "32GiB",
    "reserve": {"cpus": 1, "memory": "2GiB"},
    "taints": ["guests"],
    "core_map": {"os": "0-1", "quick": "2-5", "slow": "6-7"},
    "disks": {"ssd": {"path": "/data", "size": "2TB"}},
    "gpus": [{"model": "A30", "memory": "24GiB"}],
}
_SERVICE = {
    "placement": {"nodes": [NODES[0]], "tolerations": ["guests"]},
    "requests": {"cpus": "100m", "memory": "256MiB"},
    "limits": {"cpus": 1, "memory": "512MiB"},
    "why": "a guest",
}


def joined(ground: Ground) -> Ground:
    """Return a policy with guests, and the decision about where everything then stands: most plants leave it as it is."""
    if _NAME not in ground.grown:
        came = replace(ground, tree=with_all(ground.tree, _guests(ground)), compiled=ground.folder / _NAME, grown={})
        policy, _ = came.checked(came.folder, written(came.tree).text)
        lock, _ = read_placement(ground.compiled / policy.environment / LOCK)
        decided = decide(policy.to_be, lock).placement
        assert decided is not None
        file = came.compiled / policy.environment / LOCK
        file.parent.mkdir(parents=True)
        file.write_text(placement_text(decided, ground.name), encoding="utf-8")
        ground.grown[_NAME] = grounded(came)
    return ground.grown[_NAME]


def _guests(ground: Ground) -> More:
    """Return the machines and the project that join a fleet."""
    more: list[tuple[Where, Any]] = [(("nodes", name), _MACHINE) for name in NODES]
    environments = ground.tree.get("environments")
    mine = environments.get(ground.environment) if environments is not None and ground.environment else None
    listed = mine.get("nodes") if mine is not None else None
    if listed is not None:
        first = len(listed.value)
        path = ("environments", ground.environment or "", "nodes")
        more += [((*path, first + number), name) for number, name in enumerate(NODES)]
    more.append((("sources", _NAME), {"compose": FILE, "node": NODES[0]}))
    guesses = ground.tree.get("estimates")
    guess = {"match": "guests/job", "memory": "768MiB", "cpus": 1}  # the first that fits counts
    more.append((("estimates",), (guess, *(guesses.value if guesses is not None else ()))))
    return (*more, *((at(name), _SERVICE) for name in _SERVICES))


def at(path: str) -> Where:
    """Return a dotted path as one of a policy; `web` is short for what it says of that guest."""
    first, *rest = path.split(".")
    return ("services", f"{_NAME}/{first}", *rest) if first in _SERVICES else (first, *rest)


def guest(rule: str, path: str, *values: Any, beside: Said = ()) -> Plant:
    """Return a plant that says one of some values at a path, where guests have come of whom something else is said."""

    def plant(rng: random.Random, _: Ground) -> Patch | None:
        more = tuple((at(path), value) for path, value in beside)
        return Patch(rule, at(path), rng.choice(values), more, guests=True)

    plant.__name__ = f"{rule}@{path}"
    return plant


def claimed(rule: str, claim: dict[str, Any], *beside: dict[str, Any]) -> Plant:
    """Return a plant that claims something of guests, beside other claims."""

    def plant(_: random.Random, ground: Ground) -> Patch | None:
        claims = ground.tree.get("expect")
        last = len(claims.value) if claims is not None else 0
        right = tuple((("expect", last + one), value) for one, value in enumerate(beside))
        return Patch(rule, ("expect", last + len(beside)), claim, right, guests=True)

    plant.__name__ = rule
    return plant


_AWAY = {"nodes": [NODES[1]], "tolerations": ["guests"]}
_MOVED = ("web.placement", _AWAY)
_PUBLISHED = ("db.compose.ports", ["5432:5432"])
_OWN = ("volumes.pages", {"on_move": "own", "why": "only what was made of the sources"})

CAPACITY = (
    guest("capacity/larger-than-any-node", "web.requests.memory", "9TiB", beside=(("web.limits.memory", None), ("web.placement", {"tolerations": ["guests"]}))),
    guest("capacity/limit-over-node", "web.limits.cpus", 7001, 9000),
    guest("pool/quota", "pools.guests.quota", {"requests": {"cpus": "350m"}}, {"requests": {"memory": "800MiB"}},
          beside=(("pools.guests.services", ["guests/*"]),)),
    guest("quota/below-members", "pools.guests.quota.requests.memory", "200MiB", "255MiB",
          beside=(("pools.guests", {"scaling": "on-demand", "services": ["guests/job"]}),)),
    guest("capacity/no-reserve", "nodes.guest2.reserve.memory", "0MiB", beside=(("nodes.guest2.ceilings", {"memory": "100%"}),)),
)  # fmt: skip
QOS = (
    guest("qos/limit-to-request", "job.limits.memory", "1GiB", "3GiB", "4.5GiB"),
    guest("qos/not-guaranteed", "job.qos", "guaranteed"),
)
SCALING = (
    guest("scaling/share-of-request", "web.scale.on.cpus", "70% of request", "200% of request",
          beside=(("web.scale", {"min": 1, "max": 2, "on": {"memory": "70% of limit"}}), ("volumes.guests/pages", {"access": "shared"}))),
    guest("scaling/single-volume", "db.scale.max", 2, 3, beside=(("db.scale", {"min": 1, "max": 1}),)),
    guest("replicas/backwards", "cache.scale", {"min": 3, "max": 2}, {"min": 2, "max": 1}),
)  # fmt: skip
VOLUMES = (
    guest("volumes/class-nowhere", "volumes.guests/data.class", "tape", "sdd", "nvme9"),
    guest("volumes/single-on-several", "cache.placement.spread", "node",
          beside=(("cache.placement", {"tolerations": ["guests"]}), ("cache.scale", {"min": 1, "max": 2}))),
    guest("volume/split", "job.placement.nodes", [NODES[1]]),
)  # fmt: skip
NETWORK = (
    guest("network/port-taken", "job.compose.ports", ["127.0.0.1:28080:80"], ["28080:81"],
          beside=(("web.compose.ports", ["127.0.0.1:28080:8080"]),)),
    guest("network/edge-unreachable", "web.placement", _AWAY, beside=(_OWN,)),
    guest("network/edges-cut", "networks.guests/default.between_nodes", "refuse", beside=(_MOVED, _PUBLISHED, _OWN)),
    guest("network/connections", "web.compose.environment.DB_POOL_SIZE", "101", "250"),
    guest("network/never-healthy", "cache.compose.depends_on.job.condition", "service_healthy",
          beside=(("job.compose.healthcheck.disable", True),)),
    guest("replicas/one-identity", "cache.replicas", 2, 5, beside=(("cache.compose.container_name", "the-cache"),)),
)  # fmt: skip
PINNING = (
    guest("pinning/unknown-set", "web.cores", "quiet", "fast"),
    guest("pinning/too-few-cores", "db.cores", "slow", beside=(("db.requests.cpus", 3), ("db.limits.cpus", 4))),
    guest("pinning/reserved-cores", "db.cores", "os"),
    guest("pinning/overlap", "nodes.guest2.core_map.wide", "5-6", "4-9", "7-8"),
    guest("pinning/no-such-core", "nodes.guest1.core_map.far", "14-16", "20-31"),
    guest("pinning/same-core", "db.placement.anti_affinity.cores", ["guests/cache"],
          beside=(("db.cores", "slow"), ("cache.cores", "slow"))),
)  # fmt: skip
GPU = (
    guest("gpu/nowhere", "job.gpu", 70, 900, "900GiB"),
    guest("gpu/nowhere", "job.gpu", "7g.900gb"),
    guest("place/impossible", "job.gpu", "15GiB", "12GiB", beside=(("cache.gpu", "11GiB"),)),
    guest("gpu/isolation", "job.gpu.isolation", "mig", beside=(("job.gpu", {"memory": "4GiB"}),)),
)
TUNING = (
    guest("tuning/cache-over-limit", "db.compose.command", "postgres -c shared_buffers=600MB", ["postgres", "-c", "shared_buffers=1GB"]),
    guest("tuning/not-read", "db.compose.environment.POSTGRES_SHARED_BUFFERS", "64MB", "128MB"),
    guest("tuning/maxmemory-over-limit", "cache.compose.command", "redis-server --maxmemory 512mb", ["redis-server", "--maxmemory", "2gb"],
          beside=(("cache.compose.image", "redis:7.4"), ("cache.compose.command", "redis-server --maxmemory 200mb"))),
    guest("tuning/heap-over-limit", "job.compose.environment.JAVA_OPTS", "-Xmx512m", "-Xms1g -Xmx1g"),
    guest("tuning/heap-over-limit", "job.compose.environment.NODE_OPTIONS", "--max-old-space-size=2048"),
    guest("tuning/start-over-heap", "job.compose.environment.JAVA_OPTS", "-Xms300m -Xmx200m"),
    guest("tuning/wrong-recipe", "db.tuning", "redis"),
)  # fmt: skip
SECURITY = (
    guest("security/mutable-tag", "web.compose.image", "shop/web", "shop/web:latest", "hub.example:5000/shop/web"),
    guest("security/no-health-check", "cache.compose.healthcheck.disable", True),  # noqa: FBT003 - a value, not a flag
    guest("security/no-limit", "cache.limits.memory", None),
    guest("security/root-mount", "job.compose.volumes", ["/:/host"], ["/etc:/host/etc"]),
    guest("security/host-network", "cache.compose.network_mode", "host"),
    guest("security/published-everywhere", "db.compose.ports", ["5432:5432"], ["0.0.0.0:5432:5432"]),
)
ROLLOUT = (
    guest(
        "rollout/no-gate", "cache.placement.nodes", [NODES[1]], beside=(("cache.compose.healthcheck.disable", True),)
    ),
    guest("rollout/data-left", "volumes.guests/kept.on_move", "own", beside=(("cache.placement", _AWAY),)),
)
THRESHOLDS = (
    guest("thresholds/burst-without-end", "pools.guests.burst.max", None,
          beside=(("pools.guests", {"scaling": "burst", "services": ["guests/web"], "quota": {"requests": {"cpus": 1}},
                                    "burst": {"factor": 1.2, "donors": ["lenders"]}}),
                  ("pools.lenders", {"services": ["guests/db"], "quota": {"requests": {"cpus": 1}}}))),
    guest("thresholds/leave-above-enter", "pools.guests.burst.leave", "used < 95%", "used < 91%",
          beside=(("pools.guests", {"scaling": "burst", "services": ["guests/web"], "quota": {"requests": {"cpus": 1}},
                                    "burst": {"factor": 1.2, "donors": ["lenders"], "enter": "used > 90%", "max": "10m"}}),
                  ("pools.lenders", {"services": ["guests/db"], "quota": {"requests": {"cpus": 1}}}))),
)  # fmt: skip
SAVINGS = (
    claimed("savings/parts", {"of": "node/guest1", "saves": {"memory": "7GiB"}}, {"of": "service/guests/web", "saves": {"memory": "512MiB"}}),
    claimed("savings/nothing-does-it", {"of": "node/guest2", "memory": "<= 1GiB"}),
    claimed("claims/wrong", {"of": "service/guests/db", "saves": {"memory": "4GiB"}}),
)  # fmt: skip
EVIDENCE = (
    claimed("evidence/first-limit", {"of": "service/guests/job", "saves": {"memory": "256MiB"}}),
    claimed("evidence/estimated", {"at": "as-is", "of": "service/guests/job", "memory": "768MiB"}),
    guest(
        "evidence/no-reason",
        "web.limits.memory",
        "300MiB",
        beside=(("web", {key: one for key, one in _SERVICE.items() if key != "why"}),),
    ),
)
