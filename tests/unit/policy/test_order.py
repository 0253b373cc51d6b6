"""Order never decides: shuffled keys and files give the same fleet; and each layer wins over those below it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bayplan.model.names import Name
from bayplan.model.units import MIB

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayplan.policy.fleet import Policy

POLICY: dict[str, Any] = yaml.safe_load("""
targets: [compose]
shapes:
  small: {cpus: 4, memory: 8GiB}
  big: {like: small, memory: 64GiB, arch: amd64}
nodes:
  tower: {shape: big, reserve: {memory: 4GiB, cpus: 1}, ceilings: {memory: 85%, cpus: 80%}}
  nas: {shape: small, disks: {hdd: {path: /mnt, size: 8TB}, ssd: {path: /, size: 1TB}}}
  "gpu[1:2]": {shape: big, gpus: [{model: A, memory: 10GiB}], core_map: {os: "0", db: 2-3}}
sources:
  shop: {compose: c/shop.yml, node: tower}
  aux: {compose: c/aux.yml, node: nas, profiles: [dev]}
defaults: {requests: {cpus: 100m}, limits: {pids: 200, cpus: 4}}
tiers:
  data: {priority: 1000, services: ["*-db", cache], defaults: {limits: {pids: 400}}}
  low: {priority: 100, services: ["job-*"], overcommit: {cpus: 4}}
pools:
  desk: {services: [aux/*], scaling: on-demand, concurrent: 2, quota: {requests: {memory: 4GiB, cpus: 2}}}
  batch: {tiers: [low], defaults: {limits: {memory: 1GiB}}}
services:
  "*-db": {limits: {memory: 2GiB}, why: databases, compose: {environment: {TZ: UTC}}}
  shop-*: {limits: {cpus: 2}, placement: {nodes: [tower, "gpu[1:2]"]}, why: the shop}
  shop-db: {limits: {memory: 3GiB}, cores: exclusive}
  web: {replicas: 2, remap_ports: {80: 8080}, compose: {image: "nginx:2", environment: {A: one, B: two}}}
  proxy: {compose: {image: traefik, ports: ["81:80"]}, limits: {memory: 256MiB}}
  "job-?": {gpu: {memory: 1GiB}, tuning: {recipe: jvm}}
volumes:
  data: {on_move: own, why: each its own}
  "*/o*": {access: shared}
networks:
  "*": {static_addresses: drop}
  shop/back: {between_nodes: proxy}
environments:
  dev:
    nodes: [tower, nas, "gpu[1:2]"]
    multiply: {memory: 0.5, cpus: 0.7}
    defaults: {limits: {pids: 100}}
    services: {"*": {qos: burstable}, web: {replicas: 1}}
""")
COMPOSE = {
    "c/shop.yml": """
services:
  web: {image: "nginx:1", ports: ["80:80"], environment: {A: file}, networks: [back, front]}
  shop-db: {image: postgres, mem_limit: 8g, volumes: ["data:/d"]}
  user-db: {image: postgres, volumes: ["data:/d", "other:/o"]}
  cache: {image: redis, cpus: 1}
  job-1: {image: a}
  job-2: {image: a, mem_limit: 4g}
networks: {back: , front: }
volumes: {data: , other: }
""",
    "c/aux.yml": "services: {mail: {image: a}, tools: {image: a, profiles: [dev]}, off: {image: a, profiles: [x]}}",
}
NAMED = ("shapes", "nodes", "sources", "tiers", "pools", "services", "volumes", "networks")


def shuffled(value: Any, rng: random.Random) -> Any:
    """Return the value with the keys of every map in another order; lists stay."""
    if isinstance(value, dict):
        return {key: shuffled(value[key], rng) for key in rng.sample(list(value), len(value))}
    return value


def spread(policy: dict[str, Any], rng: random.Random) -> dict[str, str]:
    """Return the policy over three files, each name in one of them."""
    files: list[dict[str, Any]] = [{}, {}, {}]
    for section, value in shuffled(policy, rng).items():
        if section not in NAMED:
            rng.choice(files)[section] = value
            continue
        for name, thing in value.items():
            rng.choice(files).setdefault(section, {})[name] = thing
    names = rng.sample(["a.yml", "m.yaml", "z.yml"], 3)
    texts = {name: yaml.safe_dump(file, sort_keys=False) for name, file in zip(names, files, strict=True)}
    return {**texts, **COMPOSE}


def fleets(policy: Policy, placeless: Callable[[Any], Any]) -> Any:
    """Return both fleets without places, and the names of their parts in the order in which stages will meet them."""
    sections = ("nodes", "services", "tiers", "pools", "volumes", "networks", "projects", "standing")
    return [
        (placeless(fleet), [list(map(str, getattr(fleet, section))) for section in sections])
        for fleet in (policy.as_is, policy.to_be)
    ]


@pytest.mark.parametrize("seed", range(15))
def test_shuffled_keys_and_files_give_the_same_fleets(
    read: Callable[..., Policy], placeless: Callable[[Any], Any], seed: int
) -> None:
    plain = read({"policy.yml": yaml.safe_dump(POLICY), **COMPOSE}, env="dev")
    other = read(spread(POLICY, random.Random(seed)), env="dev")
    assert plain.findings == other.findings == ()
    assert fleets(other, placeless) == fleets(plain, placeless)


@pytest.mark.parametrize("seed", range(15))
def test_shuffled_contradictions_are_the_same_contradictions(read: Callable[..., Policy], seed: int) -> None:
    wrong = {
        **POLICY,
        "services": {**POLICY["services"], "user-*": {"limits": {"memory": "5GiB"}}, "nobody": {"replicas": 2}},
        "tiers": {**POLICY["tiers"], "more": {"services": ["*db", "job-2"]}},
        "pools": {**POLICY["pools"], "other": {"tiers": ["low"], "services": ["cache"]}},
        "volumes": {**POLICY["volumes"], "*r": {"on_move": "own"}, "oth*": {"on_move": "never"}},
    }
    policy = read(spread(wrong, random.Random(seed)), env="dev")
    assert sorted((one.rule, one.subject) for one in policy.findings) == [
        ("policy/matches-nothing", "nobody"),
        ("policy/two-patterns", "shop/other"),
        ("policy/two-patterns", "shop/user-db"),
        ("pools/two", "tier/low"),
        ("tiers/two", "shop/shop-db"),
        ("tiers/two", "shop/user-db"),
    ]
    assert {one.place for one in policy.findings}.isdisjoint({place for one in policy.findings for place in one.also})


LAYERS = ("defaults", "tier", "pool", "compose", "pattern", "name", "environment pattern", "environment name")
SAID = st.fixed_dictionaries({}, optional={layer: st.none() | st.integers(1, 4000) for layer in LAYERS})


@given(SAID)
@settings(derandomize=True, deadline=None, max_examples=60)
def test_of_all_layers_the_strongest_that_speaks_wins(read: Callable[..., Policy], said: dict[str, int | None]) -> None:
    """Any of the eight layers may state a limit, or take it back; Compose cannot take back."""
    if said.get("compose", 0) is None:
        del said["compose"]

    def map_of(layer: str) -> dict[str, Any]:
        amount = said.get(layer)
        return {"limits": {"memory": f"{amount}MiB" if amount else None}} if layer in said else {}

    policy = {
        "nodes": {"n": {"cpus": 1, "memory": "64GiB"}},
        "sources": {"p": "c/p.yml"},
        "defaults": map_of("defaults"),
        "tiers": {"t": {"services": ["w*"], "defaults": map_of("tier")}},
        "pools": {"q": {"services": ["w*"], "defaults": map_of("pool")}},
        "services": {"w*": map_of("pattern"), "web": map_of("name")},
        "environments": {"e": {"services": {"w*": map_of("environment pattern"), "web": map_of("environment name")}}},
    }
    amount = said.get("compose")
    compose = {"services": {"web": {"image": "a", **({"mem_limit": f"{amount}m"} if amount else {})}}}
    found = read({"policy.yml": yaml.safe_dump(policy), "c/p.yml": yaml.safe_dump(compose)})
    assert found.findings == ()
    limit = found.to_be.services[Name("p", "web")].limits.get("memory")
    strongest = next((layer for layer in reversed(LAYERS) if layer in said), None)
    expected = said[strongest] if strongest else None
    assert (limit.amount // MIB if limit else None) == expected
