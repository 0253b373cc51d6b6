"""Databases that anybody who reaches the machine can reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayplan.check.compose_lines import by_project, instead, laid_each, line
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.source import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.model.service import Port, Service

RULE = Rule("security/published-everywhere", Severity.NOTE)
_INSIDE = {
    1433: "SQL Server", 1521: "Oracle", 2181: "ZooKeeper", 2375: "the Docker API", 2379: "etcd", 3306: "MySQL",
    5432: "PostgreSQL", 5672: "RabbitMQ", 5984: "CouchDB", 6333: "Qdrant", 6334: "Qdrant", 6379: "Redis",
    6432: "PgBouncer", 7687: "Neo4j", 8086: "InfluxDB", 8123: "ClickHouse", 8529: "ArangoDB", 8983: "Solr",
    9042: "Cassandra", 9200: "Elasticsearch", 9300: "Elasticsearch", 11211: "memcached", 19530: "Milvus",
    26257: "CockroachDB", 27017: "MongoDB",
}  # fmt: skip
"""Ports in the container that are meant for other services."""
_MOST = 6


def check(survey: Survey) -> Iterator[Finding]:
    """Yield one finding for each project that publishes such ports on all addresses."""
    found = [(service, port.place) for service in survey.services if (port := _open(service)) is not None]
    homes = _homes(survey)
    for project, some in by_project(found).items():
        ports = [(one, port) for one, _ in some for port in one.ports if _is_open(port)]
        words = list(dict.fromkeys(f"{_INSIDE[port.target]} ({one.name.name})" for one, port in ports))
        more = f" and {len(words) - _MOST} more" if len(words) > _MOST else ""
        first, place = some[0]
        count = f", as {len(some) - 1} more of {project} do" if len(some) > 1 else ""
        yield RULE.finding(
            place,
            first.name,
            f"publishes {_INSIDE[ports[0][1].target]} on every address of its machine{count}",
            arithmetic=", ".join(words[:_MOST]) + more,
            paste=_closed(survey, [one for one, _ in some]) if homes.get(project) == 1 else "",
            remedy="publish it to the machine alone, or to the network of the fleet: an address before the port",
            also=tuple(at for _, at in some[1:]),
        )


def _is_open(port: Port) -> bool:
    return port.published is not None and port.target in _INSIDE and port.host_ip in ("", "0.0.0.0", "::")  # noqa: S104


def _open(service: Service) -> Port | None:
    return next(filter(_is_open, service.ports), None)


def _homes(survey: Survey) -> dict[str, int]:
    """Return project → on how many nodes it stands: where it is one, nobody of it comes from elsewhere."""
    found: dict[str, set[str]] = {}
    for name, nodes in survey.nodes_of.items():
        found.setdefault(name.project, set()).update(nodes)
    return {project: len(nodes) for project, nodes in found.items()}


def _closed(survey: Survey, services: list[Service]) -> str:
    """Return a fragment that publishes such ports to the machine alone, and all others as they are."""
    return laid_each(survey, "ports", ((service, instead(_ports(service))) for service in services))


def _ports(service: Service) -> Iterator[Any]:
    closed = {port.place for port in service.ports if _is_open(port)}
    for node in line(service, "ports") or ():
        said = plain(node)
        yield _short({**said, "host_ip": "127.0.0.1"} if node.place in closed else said)


def _short(port: dict[str, Any]) -> Any:
    """Return a port in Compose's short form, if that says all of it."""
    if not port.keys() <= {"target", "published", "protocol", "host_ip"} or ":" in str(port.get("host_ip", "")):
        return port
    parts = [str(port[key]) for key in ("host_ip", "published", "target") if port.get(key)]
    protocol = port.get("protocol", "tcp")
    return ":".join(parts) + (f"/{protocol}" if protocol != "tcp" else "")
