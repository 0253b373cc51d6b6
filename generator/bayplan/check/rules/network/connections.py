"""Clients that may open more connections together than their database takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.clients import hosts_of, pools, taken
from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.clients import Pool
    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.model.names import Name
    from bayplan.model.service import Service

RULE = Rule("network/connections", Severity.WARNING)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each database whose clients' pools are together more than it takes."""
    hosts = hosts_of(survey)
    clients: dict[Name, list[tuple[Service, Pool]]] = {}
    for service in survey.services:
        for name, pool in pools(survey, service, hosts.get(service.name.project, hosts[""])):
            clients.setdefault(name, []).append((service, pool))
    for name, some in sorted(clients.items()):
        finding = _over(survey.fleet.services[name], some)
        if finding is not None:
            yield finding


def _over(database: Service, clients: list[tuple[Service, Pool]]) -> Finding | None:
    most = taken(database)
    total = sum(_copies(one) * pool.connections for one, pool in clients)
    if most is None or total <= most.connections:
        return None
    client, pool = max(clients, key=lambda one: (_copies(one[0]) * one[1].connections, one[0].name))
    copies = _copies(client)
    size = pool.fitting((most.connections - (total - copies * pool.connections)) // copies)
    named = database.name.name if database.name.project == client.name.project else str(database.name)
    sums = " + ".join(f"{one.shown(_copies(service))} ({service.name.name})" for service, one in clients)
    more = {0: "", 1: " and another client"}.get(len(clients) - 1, f" and {len(clients) - 1} more clients")
    place = most.place or database.place
    return RULE.finding(
        pool.node.place,
        client.name,
        f"{more} may open {total} connections to {named}, which takes {most.connections}".strip(),
        arithmetic=f"{sums} = {total} > {most.connections}",
        write=pool.written(size) if size > 0 else "",
        remedy=f"{'or ' if size > 0 else ''}let {named} take {total} (max_connections): each one costs it memory",
        also=(place, *(service.replicas.place for service, _ in clients if _copies(service) > 1)),
    )


def _copies(service: Service) -> int:
    return max(service.replicas.count, service.replicas.maximum)
