"""Databases whose data lies in no named volume and in no folder of the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.caches import image_name
from bayplan.check.compose_lines import line
from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.model.service import Service

RULE = Rule("volumes/data-unnamed", Severity.WARNING)
FOLDERS = {
    "cassandra": "/var/lib/cassandra",
    "clickhouse-server": "/var/lib/clickhouse",
    "couchdb": "/opt/couchdb/data",
    "elasticsearch": "/usr/share/elasticsearch/data",
    "mariadb": "/var/lib/mysql",
    "mongo": "/data/db",
    "mysql": "/var/lib/mysql",
    "neo4j": "/data",
    "opensearch": "/usr/share/opensearch/data",
    "pgvector": "/var/lib/postgresql",
    "postgis": "/var/lib/postgresql",
    "postgres": "/var/lib/postgresql",
    "timescaledb": "/var/lib/postgresql",
}
"""Image → where it writes what must not be lost, as its page says; PostgreSQL in a folder below that."""


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each database that nothing is mounted for, where it writes; tmpfs is meant."""
    for service in survey.services:
        folder = FOLDERS.get(image_name(service.image), "")
        if not folder or _kept(service, folder) or line(service, "volumes_from") is not None:
            continue
        yield RULE.finding(
            service.place,
            service.name,
            "keeps its data in no named volume: when it is made anew, or moves, it starts empty",
            arithmetic=f"{folder}: {_mounted(service)}",
            remedy=f"mount a volume there in its Compose file, such as {service.name.name}-data:{folder}",
            also=tuple(mount.place for mount in service.mounts),
        )


def _kept(service: Service, folder: str) -> bool:
    """Whether a named volume, a folder or memory is mounted where it writes, above, or below."""
    return any(
        (mount.source or mount.kind == "tmpfs") and f"{folder}/".startswith(f"{target}/") | target.startswith(folder)
        for mount in service.mounts
        for target in (mount.target.rstrip("/"),)
    )


def _mounted(service: Service) -> str:
    found = [f"{mount.source or 'an anonymous volume'} at {mount.target}" for mount in service.mounts]
    return ", ".join(found) if found else "nothing is mounted"
