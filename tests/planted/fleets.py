"""Fleets that nobody wrote: a few machines of unlike sizes, services of several kinds, all of it in order."""

from __future__ import annotations

import json
import random
from typing import Any

KINDS = {
    "web": ("nginx:1.29", {"cpus": 0.25, "memory": "256MiB"}, {"cpus": 0.5, "memory": "256MiB"}),
    "api": ("shop/api:4.2", {"cpus": 0.5, "memory": "512MiB"}, {"cpus": 1, "memory": "1GiB"}),
    "cache": ("redis:7.4", {"cpus": 0.1, "memory": "512MiB"}, {"cpus": 0.5, "memory": "512MiB"}),
    "db": ("postgres:17.2", {"cpus": 0.5, "memory": "2GiB"}, {"cpus": 1, "memory": "2GiB"}),
    "job": ("shop/job:1.9", {"cpus": 0.2, "memory": "256MiB"}, {"cpus": 1, "memory": "512MiB"}),
}


def generated(seed: int) -> str:
    """Return the policy of a fleet that holds: every service has its place and its limits, and there is room left."""
    rng = random.Random(f"fleet {seed}")
    nodes = {f"n{number}": _node(rng) for number in range(1, rng.randint(3, 6))}
    services: dict[str, Any] = {}
    for number in range(rng.randint(10, 25)):
        kind = rng.choice(sorted(KINDS))
        name = f"{kind}-of-{_word(rng)}{number}"
        services[name] = _service(rng, kind, name, number, sorted(nodes))
    policy = {
        "nodes": nodes,
        "tiers": {"data": {"priority": 900}, "batch": {"priority": 200, "preemptible": True}},
        "pools": {"jobs": {"quota": {"requests": {"cpus": 6, "memory": "8GiB"}}}},
        "services": services,
        "volumes": {
            f"data-{name}": {"class": "ssd", "size": "20GB", "backup": {"keep": 3}}
            for name in services
            if name.startswith(("db", "cache"))
        },
        "alerts": {"node.memory": {"warning": "92%", "critical": "96%"}, "node.cpus": {"warning": "92%"}},
    }
    if not any(service.get("pool") for service in services.values()):
        del policy["pools"]
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in policy.items() if value)


def _node(rng: random.Random) -> dict[str, Any]:
    node: dict[str, Any] = {
        "cpus": rng.choice([16, 24, 32]),
        "memory": f"{rng.choice([32, 64, 128])}GiB",
        "reserve": {"cpus": 1, "memory": "2GiB"},
        "disks": {"ssd": {"path": "/data", "size": "2TB"}},
        "core_map": {"os": "0-1", "quick": "2-5", "slow": "6-7"},
    }
    if rng.random() < 0.7:
        node["gpus"] = [{"model": "A30", "memory": "24GiB"}]
    return node


def _service(rng: random.Random, kind: str, name: str, number: int, nodes: list[str]) -> dict[str, Any]:
    image, requests, limits = KINDS[kind]
    compose: dict[str, Any] = {
        "image": image,
        "restart": "unless-stopped",
        "healthcheck": {"test": ["CMD", "true"], "interval": "30s"},
        "ports": [f"127.0.0.1:{20000 + number}:8080"],
    }
    service: dict[str, Any] = {"compose": compose, "requests": dict(requests), "limits": dict(limits)}
    service["placement"] = rng.choice(nodes)
    if kind in ("db", "cache"):
        compose["volumes"] = [f"data-{name}:{'/var/lib/postgresql/data' if kind == 'db' else '/data'}"]
        service["tier"] = "data"
        service["tuning"] = {"db": "postgres", "cache": {"recipe": "redis", "policy": "allkeys-lru"}}[kind]
    if kind == "job":
        service["tier"] = "batch"
        service["pool"] = "jobs"
    return service


def _word(rng: random.Random) -> str:
    return "".join(rng.choice("bdfgklmnprst") + rng.choice("aeiou") for _ in range(3))
