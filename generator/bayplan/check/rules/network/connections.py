"""Clients that may open more connections together than their database takes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bayplan.check.caches import image_name
from bayplan.check.compose_lines import line
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model.names import Name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.model.service import Service
    from bayplan.source import Node

RULE = Rule("network/connections", Severity.WARNING)
_POOL = re.compile(r"(POOL_SIZE|POOL_MAX|MAX_POOL|MAX_CONNECTIONS|CONNECTION_LIMIT|MAX_OPEN_CONNS)$", re.IGNORECASE)
_DEFAULT = {"postgres": 100, "pgvector": 100, "postgis": 100, "timescaledb": 100, "mysql": 151, "mariadb": 151}
_MAX = re.compile(r"max[_-]connections\s*=\s*(\d+)")


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each database whose clients' pools are together more than it takes."""
    pools: dict[Name, list[tuple[Service, Node, int]]] = {}
    for service in survey.services:
        pool = _pool(service)
        if pool is not None:
            for name in _databases(survey, service):
                pools.setdefault(name, []).append((service, *pool))
    for name, clients in sorted(pools.items()):
        database = survey.fleet.services[name]
        most = _most(database)
        asked = [(one, node, size, size * max(one.replicas.count, one.replicas.maximum)) for one, node, size in clients]
        total = sum(amount for *_, amount in asked)
        if total <= most:
            continue
        client, node, size, amount = max(asked, key=lambda one: (one[3], one[0].name))
        copies = amount // size
        fits = max(1, (most - (total - amount)) // copies)
        sums = " + ".join(f"{part} ({one.name.name})" for one, _, _, part in asked)
        yield RULE.finding(
            node.place,
            client.name,
            f"and {len(asked) - 1} more clients may open {total} connections to {name.name}, which takes {most}"
            if len(asked) > 1
            else f"may open {total} connections to {name.name}, which takes {most}",
            arithmetic=f"{sums} = {total} > {most}",
            write=str(fits),
            remedy=f"or let {name.name} take more: each connection costs it memory",
            also=(database.place,),
        )


def _pool(service: Service) -> tuple[Node, int] | None:
    """Return the line and the size of a client's pool, the first by name."""
    environment = line(service, "environment")
    for key, value in sorted(environment.items() if environment is not None else ()):
        if _POOL.search(key) and value.string.isdigit() and image_name(service.image) not in _DEFAULT:
            return value, int(value.string)
    return None


def _databases(survey: Survey, service: Service) -> list[Name]:
    """Return the databases that a client's environment names as hosts."""
    environment = line(service, "environment")
    hosts = set()
    for _, value in environment.items() if environment is not None else ():
        hosts.update(re.split(r"[/:@,?\s]+", value.string))
    names = (Name(service.name.project, host) for host in sorted(hosts))
    return [name for name in names if (one := survey.fleet.services.get(name)) and image_name(one.image) in _DEFAULT]


def _most(database: Service) -> int:
    tuned = database.tuning.options.get("connections", "") if database.tuning else ""
    if tuned.isdigit():
        return int(tuned)
    words = database.body.get("command") or ""
    found = _MAX.search(" ".join(map(str, words)) if isinstance(words, list) else str(words))
    return int(found[1]) if found else _DEFAULT[image_name(database.image)]
