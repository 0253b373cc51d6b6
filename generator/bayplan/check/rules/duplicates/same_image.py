"""The same program several times under different names."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from bayplan.analyse.charge import charge
from bayplan.check.caches import image_name
from bayplan.check.compose_lines import line
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model import units
from bayplan.model.quantity import MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding, Place
    from bayplan.model.service import Service

RULE = Rule("duplicates/same-image", Severity.NOTE)
SHARED = frozenset(
    {
        "adminer", "alertmanager", "chroma", "clickhouse-server", "elasticsearch", "grafana", "influxdb", "jaeger",
        "keycloak", "loki", "mailhog", "mailpit", "mariadb", "memcached", "minio", "mongo", "mysql", "nats", "neo4j",
        "ollama", "opensearch", "pgadmin4", "pgvector", "phpmyadmin", "postgres", "prometheus", "qdrant", "rabbitmq",
        "redis", "searxng", "tempo", "uptime-kuma", "valkey", "vault", "weaviate",
    }
)  # fmt: skip
"""Images of programs that serve several clients at once. A web server or a proxy has files or rules of its own."""
_CALLED = {
    "chromadb": "chroma", "grafana-enterprise": "grafana", "grafana-oss": "grafana", "mongodb": "mongo",
    "mysql-server": "mysql", "postgresql": "postgres", "redis-stack": "redis", "redis-stack-server": "redis",
}  # fmt: skip
"""Image → the program in it, where it is called otherwise."""
_OF_A_NODE = frozenset(
    {
        "autoheal", "cadvisor", "dcgm-exporter", "diun", "dozzle", "filebeat", "fluent-bit", "glances", "netdata",
        "node-exporter", "nvidia_gpu_exporter", "promtail", "telegraf", "watchtower",
    }
)  # fmt: skip
"""Images that look after one machine: one is meant to be on each, and a second one there has nothing to do."""
_MEMBER = re.compile(
    r"([-_](primary|secondary|master|slave|leader|follower|replica|standby|sentinel|arbiter|node|member|shard))?[-_]?\d*$"
)
"""How a member of a cluster is called after the name that they have in common."""
_CLUSTERED = re.compile(r"repl|cluster|seed|quorum|peer|gossip|raft|join", re.IGNORECASE)
"""What settings of members of a cluster speak of."""
_ROLE = ("command", "entrypoint", "environment", "env_file", "volumes", "depends_on", "networks", "network_mode")
"""What a service does, in keys of Compose."""


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a note for each program that runs several times where once would do, with what that would free.

    Those are programs that several clients can share, what looks after a machine twice on one of them, and services
    that are alike in all that they are told. Members of a cluster, by their names, count as one.
    """
    alike: dict[tuple[str, ...], dict[str, list[Service]]] = {}
    names = {str(service.name) for service in survey.services}
    for service in survey.services:
        role = _role(service, names)
        for key in _keys(survey, service):
            alike.setdefault(key, {}).setdefault(role, []).append(service)
    for (program, *_), roles in sorted(alike.items()):
        if len(roles) > 1:
            yield _finding(survey, program, roles)


def _keys(survey: Survey, service: Service) -> Iterator[tuple[str, ...]]:
    """Yield what has to be the same of two services of which one would do: the program, and where or how it runs."""
    program = image_name(service.image)
    program = _CALLED.get(program, program)
    nodes = survey.nodes_of.get(service.name, ())
    if program in SHARED:
        yield (program,)
    elif program in _OF_A_NODE:
        yield from ((program, node) for node in nodes)
    elif service.image:
        told = {key: service.body.get(key) for key in _ROLE}
        if any(told[key] for key in ("command", "environment", "volumes")):
            yield (
                program,
                service.image,
                service.name.project,
                ",".join(nodes),
                json.dumps(told, sort_keys=True, default=str),
            )


def _role(service: Service, names: set[str]) -> str:
    """Return the name that members of a cluster have in common, with the project; else its own.

    Who is only numbered, beside one of the bare name, is a member where its settings speak of a cluster or of that one.
    """
    name = service.name.name
    common = _MEMBER.sub("", name, count=1)
    bare = f"{service.name.project}/{common}"
    numbered = re.fullmatch(re.escape(common) + r"[-_]?\d+", name) is not None
    if numbered and bare in names and not _speaks_of(service, common):
        return str(service.name)
    return bare


def _speaks_of(service: Service, other: str) -> bool:
    told: Any = [service.body.get(key) for key in ("command", "entrypoint", "environment", "depends_on")]
    text = json.dumps(told, default=str)
    return bool(_CLUSTERED.search(text) or re.search(rf"\b{re.escape(other)}\b(?![-_]?\d)", text))


def _finding(survey: Survey, program: str, roles: dict[str, list[Service]]) -> Finding:
    sizes = {role: sum(_size(survey, one) for one in some) for role, some in roles.items()}
    largest = max(sizes, key=lambda role: (sizes[role], role))
    freed = sum(sizes.values()) - sizes[largest]
    first, *others = [some[0] for role, some in sorted(roles.items()) if role != largest]
    shown = " + ".join(
        f"{units.show(MEMORY, size)} ({role})" for role, size in sorted(sizes.items()) if role != largest
    )
    return RULE.finding(
        _place(first),
        first.name,
        f"is one of {len(roles)} that run {program}: if they shared that of {largest}, "
        f"{units.show(MEMORY, freed)} of memory would be free",
        arithmetic=f"{shown} = {units.show(MEMORY, freed)}",
        remedy="share one where versions and duties allow it",
        also=(*map(_place, others), _place(roles[largest][0])),
    )


def _size(survey: Survey, service: Service) -> int:
    amount = charge(survey.fleet, service, MEMORY)
    return amount.amount * service.replicas.count if amount else 0


def _place(service: Service) -> Place:
    image = line(service, "image")
    return image.place if image is not None else service.place
