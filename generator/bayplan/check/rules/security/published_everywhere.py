"""Databases that anybody who reaches the machine can reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.compose_lines import by_project
from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding, Place
    from bayplan.model.service import Port, Service

RULE = Rule("security/published-everywhere", Severity.NOTE)
_INSIDE = {
    2375: "the Docker API", 3306: "MySQL", 5432: "PostgreSQL", 5984: "CouchDB", 6379: "Redis", 7687: "Neo4j",
    8086: "InfluxDB", 9042: "Cassandra", 9200: "Elasticsearch", 11211: "memcached", 27017: "MongoDB",
}  # fmt: skip
"""Ports in the container that are meant for other services."""
_MOST = 6


def check(survey: Survey) -> Iterator[Finding]:
    """Yield one finding for each project that publishes such ports on all addresses."""
    found = [(service, port.place) for service in survey.services for port in service.ports if _open(port)]
    for project, some in by_project(found).items():
        words = sorted(
            {f"{_INSIDE[port.target]} ({one.name.name})" for one, _ in some for port in one.ports if _open(port)}
        )
        more = f" and {len(words) - _MOST} more" if len(words) > _MOST else ""
        first, place = some[0]
        count = f", as {len(some) - 1} more of {project} do" if len(some) > 1 else ""
        yield RULE.finding(
            place,
            first.name,
            f"publishes {_INSIDE[_port(first).target]} on every address of its machine{count}",
            arithmetic=", ".join(words[:_MOST]) + more,
            remedy=f'publish it to the machine alone, "127.0.0.1:{_port(first).published}:{_port(first).target}", '
            "or to the network of the fleet",
            also=_places(some[1:]),
        )


def _open(port: Port) -> bool:
    return port.published is not None and port.target in _INSIDE and port.host_ip in ("", "0.0.0.0", "::")  # noqa: S104


def _port(service: Service) -> Port:
    return next(port for port in service.ports if _open(port))


def _places(some: list[tuple[Service, Place]]) -> tuple[Place, ...]:
    return tuple(place for _, place in some)
