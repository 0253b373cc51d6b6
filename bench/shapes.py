"""Big policies of several shapes, made of a number of services and of nodes: the same numbers give the same bytes."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Files = dict[str, str]
"""Path in the policy folder → text."""

PROJECT = 20
"""Services of a Compose project."""


def flat(services: int, nodes: int) -> Files:
    """Return services that the policy itself defines, each with its requests, its limits and its node."""
    return {"policy.yml": _lines(_nodes(nodes), ["services:"], _own(services, nodes, placed=True))}


def free(services: int, nodes: int) -> Files:
    """Return services that may stand anywhere: pools and tiers by patterns, defaults, guesses by image."""
    groups = [
        "defaults: {requests: {cpus: 10m}, placement: {require: {zone: [a, b]}}}",
        "tiers:",
        "  data: {priority: 900, qos: burstable, services: ['s*1', s00002]}",
        "  rest: {priority: 100, services: ['s*2', 's*3'], defaults: {health: {stagger: true}}}",
        "pools:",
        *(f"  p{n}: {{services: ['s*{n}'], quota: {{requests: {{cpus: {nodes}}}}}}}" for n in range(10)),
        "estimates:",
        *(f"  - {{image: 'shop/s{n}:*', memory: {n + 1}MiB}}" for n in range(97)),
        "  - {match: 's*', cpus: 50m, memory: 64MiB}",
    ]
    patterns = [f"  s*{n}: {{limits: {{memory: {n + 1}GiB}}, why: by its last figure}}" for n in range(10)]
    return {
        "nodes.yml": _lines(_nodes(nodes)),
        "groups.yml": _lines(groups),
        "services.yml": _lines(["services:"], patterns, _own(services, nodes, placed=False)),
    }


def composed(services: int, nodes: int) -> Files:
    """Return projects with a Compose file each, overridden by names and patterns, for two environments."""
    count = max(1, services // PROJECT)
    projects = [f"p{n:04d}" for n in range(count)]
    sources = [
        f"  {name}: {{compose: c/{name}/compose.yml, node: n{n % nodes:03d}}}" for n, name in enumerate(projects)
    ]
    said = [
        line
        for n, name in enumerate(projects)
        for line in (
            f"  {name}/app-0: {{limits: {{memory: 2GiB}}, placement: n{(n + 1) % nodes:03d}, why: it was too small}}",
            f"  {name}/db: {{tier: data, placement: {{anti_affinity: {{node: ['{name}/app-*']}}}}}}",
            f"  {name}/app-1: {{compose: {{environment: {{LEVEL: '{n % 5}'}}, labels: [a=b]}}, replicas: 2}}",
        )
    ]
    groups = [
        "defaults: {requests: {cpus: 20m}}",
        "tiers: {data: {priority: 900, services: ['cache-*']}, web: {priority: 300, services: ['app-*']}}",
        "pools:",
        *(f"  {name}: {{services: [project/{name}], quota: {{limits: {{cpus: 40}}}}}}" for name in projects),
        "volumes: {'data-*': {on_move: carry, size: 2GB}}",
        "networks: {'bac*': {between_nodes: published}}",
        "estimates: [{match: 'app-*', memory: 128MiB}, {image: 'redis:*', memory: 64MiB, cpus: 100m}]",
        "environments:",
        "  big: {}",
        "  small: {multiply: {memory: 0.5}, services: {'app-*': {replicas: 1}, 'p0000/app-2': {limits: {cpus: 1}}}}",
    ]
    policy = _lines(_nodes(nodes), ["sources:"], sources, groups, ["services:"], said)
    return {"policy.yml": policy, **{f"c/{name}/compose.yml": _project(n) for n, name in enumerate(projects)}}


SHAPES: dict[str, Callable[[int, int], Files]] = {"flat": flat, "free": free, "composed": composed}
ENVIRONMENTS = {"composed": "small"}
"""Shape → the environment to work on, where there are several."""


def _nodes(count: int) -> list[str]:
    return [
        "nodes:",
        *(f"  n{n:03d}: {{cpus: 64, memory: 256GiB, labels: {{zone: {'abc'[n % 3]}}}}}" for n in range(count)),
    ]


def _own(services: int, nodes: int, *, placed: bool) -> Iterator[str]:
    dice = random.Random(1)  # noqa: S311 - the same policy each time
    for n in range(services):
        yield f"  s{n:05d}:"
        yield f'    compose: {{image: "shop/s{n % 97}:1.{n % 7}"}}'
        if placed:
            cpus, memory = dice.choice([100, 250, 500]), dice.choice([256, 512])
            yield f"    requests: {{cpus: {cpus}m, memory: {memory}MiB}}"
            yield "    limits: {cpus: 1, memory: 1GiB}"
            yield f"    placement: n{n % nodes:03d}"


def _project(number: int) -> str:
    first = 1024 + number % 50 * PROJECT
    return _lines(
        ["x-common: &common {restart: unless-stopped, networks: [back], logging: {driver: json-file}}", "services:"],
        ["  db: {<<: *common, image: 'postgres:16', volumes: ['data-0:/var/lib/postgresql/data'], mem_limit: 2g}"],
        ["  cache-0: {<<: *common, image: 'redis:7.2', command: redis-server --save 60 1, volumes: ['data-1:/data']}"],
        *([f"  app-{n}:", *_app(n, first + n)] for n in range(PROJECT - 2)),
        ["volumes: {data-0: {}, data-1: {}}", "networks: {back: {driver: bridge}}"],
    )


def _app(number: int, port: int) -> list[str]:
    return [
        "    <<: *common",
        f"    image: shop/app-{number}:${{VERSION:-1.{number}}}",
        f"    ports: ['{port}:8080']",
        "    environment: {DB: 'postgres://db:5432', CACHE: cache-0, TOKEN: '${TOKEN}'}",
        "    depends_on: [db, cache-0]",
        "    volumes: ['./conf:/etc/app:ro', 'data-1:/cache']",
        "    healthcheck: {test: curl -f http://localhost:8080/health, interval: 30s, timeout: 5s}",
        *(["    deploy: {resources: {limits: {cpus: '0.5', memory: 256m}}}"] if number % 2 else []),
    ]


def _lines(*parts: object) -> str:
    return "".join(f"{line}\n" for part in parts for line in part)
