"""A policy proposed from Compose files: the on-ramp. Nodes, sources and tiers; everything else stays as written."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bayplan.model import units
from bayplan.render.emit import Said, emit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bayplan.model.service import Service

SCHEMA_LINE = "yaml-language-server: $schema=policy.schema.json"


@dataclass(frozen=True, slots=True)
class Family:
    """A tier that is proposed for images of a kind."""

    tier: str
    priority: int
    images: re.Pattern[str]
    why: str


FAMILIES = (
    Family(
        "data",
        1000,
        re.compile(
            r"postgres|pgvector|timescale|mysql|mariadb|mongo|redis|valkey|elasticsearch|opensearch|neo4j|influxdb|kafka|"
            r"rabbitmq|zookeeper|etcd|vault|minio|qdrant|chroma|weaviate|clickhouse|cassandra|couchdb|memcached|nats"
        ),
        "it keeps data",
    ),
    Family("edge", 800, re.compile(r"nginx|traefik|caddy|haproxy|envoy|cloudflared"), "users come in through it"),
    Family(
        "watch",
        400,
        re.compile(r"prometheus|grafana|alertmanager|exporter|loki|promtail|cadvisor|telegraf|uptime-kuma|jaeger"),
        "it watches the others",
    ),
)


@dataclass(frozen=True, slots=True)
class Machine:
    """A node as the user names it; sizes are None where they are to be observed."""

    name: str
    cpus: int | None = None
    memory: int | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """One project of Compose files that runs on a node."""

    project: str
    node: str
    files: tuple[str, ...]
    services: tuple[Service, ...]


def proposal(machines: Sequence[Machine], projects: Sequence[Imported]) -> dict[str, str]:
    """Return the files of the proposed policy: name → text."""
    services = [service for project in projects for service in project.services]
    tiers = _tiers(services)
    header = (
        f"{SCHEMA_LINE}\n"
        f"{len(services)} services of {len(projects)} projects on {len(machines)} nodes, as they are today.\n"
        "Nothing changes yet: add limits, placement and pools under services, then read bayplan plan."
    )
    document: dict[str, Any] = {
        "nodes": {machine.name: _node(machine) for machine in machines},
        "sources": {one.project: _source(one) for one in projects},
        "tiers": tiers,
    }
    return {"policy.yml": emit({key: value for key, value in document.items() if value}, header)}


def _node(machine: Machine) -> Any:
    if machine.cpus is None or machine.memory is None:
        return Said(machine.name, "its size: {address: …, cpus: 8, memory: 32GiB}")
    cpus = machine.cpus // 1000 if machine.cpus % 1000 == 0 else machine.cpus / 1000
    return {"address": machine.name, "cpus": cpus, "memory": units.policy_bytes(machine.memory)}


def _source(one: Imported) -> dict[str, Any]:
    files: Any = one.files[0] if len(one.files) == 1 else list(one.files)
    return {"compose": files, "node": one.node}


def _tiers(services: Sequence[Service]) -> dict[str, Any]:
    """Return the tiers that have members, the most important first."""
    members: Mapping[str, list[str]] = defaultdict(list)
    for service in services:
        family = family_of(service)
        if family is not None:
            members[family.tier].append(str(service.name))
    return {
        family.tier: {"priority": family.priority, "services": sorted(members[family.tier]), "why": family.why}
        for family in sorted((*FAMILIES, GPU), key=lambda family: -family.priority)
        if members.get(family.tier)
    }


GPU = Family("gpu", 700, re.compile(r"$^"), "it asks for a GPU")


def family_of(service: Service) -> Family | None:
    """Return the tier to propose for a service: by its image, its label `priority`, or its GPU; None for the others."""
    image = service.image.rpartition("/")[2].partition(":")[0] or service.name.name
    for family in FAMILIES:
        if family.images.search(image.lower()):
            return family
    return GPU if service.gpu is not None else None
