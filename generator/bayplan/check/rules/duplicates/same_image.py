"""The same program several times under different names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

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
        "alertmanager", "clickhouse-server", "elasticsearch", "grafana", "influxdb", "jaeger", "keycloak", "loki",
        "mariadb", "memcached", "minio", "mongo", "mysql", "nats", "neo4j", "opensearch", "pgvector", "postgres",
        "prometheus", "rabbitmq", "redis", "tempo", "valkey", "vault",
    }
)  # fmt: skip
"""Images of programs that serve several clients at once. A web server or a proxy has files or rules of its own."""
_MEMBER = re.compile(
    r"([-_](primary|secondary|master|slave|leader|follower|replica|standby|sentinel|arbiter|node|member|shard))?[-_]?\d*$"
)
"""How a member of a cluster is called after the name that they have in common."""


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a note for each program that runs for several clients which could share one, with what that would free.

    Members of a cluster, by their names, count as one.
    """
    alike: dict[str, dict[str, list[Service]]] = {}
    for service in survey.services:
        program = image_name(service.image)
        if program in SHARED:
            role = f"{service.name.project}/{_MEMBER.sub('', service.name.name, count=1)}"
            alike.setdefault(program, {}).setdefault(role, []).append(service)
    for program, roles in sorted(alike.items()):
        if len(roles) < 2:  # noqa: PLR2004 - one is enough
            continue
        sizes = {role: sum(_size(survey, one) for one in some) for role, some in roles.items()}
        largest = max(sizes, key=lambda role: (sizes[role], role))
        freed = sum(sizes.values()) - sizes[largest]
        first, *others = [some[0] for role, some in sorted(roles.items()) if role != largest]
        shown = " + ".join(
            f"{units.show(MEMORY, size)} ({role})" for role, size in sorted(sizes.items()) if role != largest
        )
        yield RULE.finding(
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
