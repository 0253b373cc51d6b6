"""The fleet as it is: as it was observed where anybody looked, as its sources have it where nobody did."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bayplan.finding import Finding, Place, note
from bayplan.model.fleet import Pool, Project
from bayplan.model.names import Instance, Name
from bayplan.model.quantity import CPUS
from bayplan.model.service import PlacementRule, Replicas
from bayplan.policy.sightings import deployed_parts, sightings
from bayplan.policy.today import as_written, deployed, held
from bayplan.policy.whereabouts import Look, Whereabouts, whereabouts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bayplan.model.fleet import Node, Volume
    from bayplan.model.service import Service
    from bayplan.policy.observed import Observed
    from bayplan.policy.services import Written
    from bayplan.policy.sightings import Sighting
    from bayplan.source import Node as Yaml

_ON_DEMAND = "on-demand"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the policy says: its services, pools and volumes, and where its sources run (project → node)."""

    services: Mapping[Name, Service] = field(default_factory=dict)
    pools: Mapping[str, Pool] = field(default_factory=dict)
    volumes: Mapping[Name, Volume] = field(default_factory=dict)
    homes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Today:
    """What there is.

    Attributes:
        services: each as it is today, copies counted.
        standing: copy → the node on which it is.
        idle: copy → why it does not run.
        cards: copy → the cards that its deployed file names.
        pools: those whose members rest today.
        projects: those that a release has and no source.
        volumes, networks: as the releases declare them.
        released: whether bayplan has deployed anything.
        findings: what runs and nobody knows of.
    """

    services: Mapping[Name, Service]
    standing: Mapping[Instance, str]
    idle: Mapping[Instance, str]
    cards: Mapping[Instance, tuple[int, ...]]
    pools: Mapping[str, Pool]
    projects: Mapping[str, Project]
    volumes: Mapping[Name, Yaml]
    networks: Mapping[Name, Yaml]
    released: bool
    findings: tuple[Finding, ...]


def today(
    written: Mapping[Name, Written], policy: Wanted, nodes: Mapping[str, Node], everywhere: Mapping[str, Observed]
) -> Today:
    """Return what there is.

    Args:
        written: the services of the sources.
        policy: what the policy makes of them.
        nodes: the nodes there are.
        everywhere: what was observed, of these nodes and of others.
    """
    observed = {node: one for node, one in sorted(everywhere.items()) if node in nodes}
    known = {*written, *policy.services}
    parts = deployed_parts(observed, known)
    seen = sightings(observed, known, parts)
    look = Look(nodes, observed, parts, policy.volumes, _jobs(policy.services))
    places = {node: Place(facts.file) for node, facts in observed.items()}
    cores = {node: one.capacity[CPUS].amount // 1000 for node, one in observed.items()}
    services: dict[Name, Service] = {}
    found: dict[Name, Whereabouts] = {}
    resting: dict[str, Pool] = {}
    released = {name for name, some in seen.items() if any(one.part for one in some)}
    for name in sorted({**dict.fromkeys(written), **dict.fromkeys(released)}):
        own = seen.get(name, ())
        service = _service(written.get(name), own, policy.services.get(name))
        if not service.active:
            services[name] = service
            continue
        rule = policy.services[name].placement if name in policy.services else PlacementRule()
        found[name] = whereabouts(service, own, policy.homes.get(name.project, ""), rule, look)
        pool = _pool(own, policy.services.get(name), policy.pools)
        if pool is not None:
            resting[pool.name] = pool
        service = replace(service, pool=pool.name) if pool else service
        service = _counted(service, found[name]) if own else service
        files = [(_file(one, service, written.get(name), policy.services.get(name)), one) for one in own]
        services[name] = held(service, files, places, cores)
    standing = {Instance(name, n): node for name, one in found.items() for n, node in one.standing.items()}
    return Today(
        services=services,
        standing=standing,
        idle={Instance(name, n): why for name, one in found.items() for n, why in one.idle.items()},
        cards={one.copy: cards for name in found for one in seen.get(name, ()) if (cards := _cards(one, nodes))},
        pools=dict(sorted(resting.items())),
        projects=_projects(observed, written),
        volumes=_declared(observed, "volumes"),
        networks=_declared(observed, "networks"),
        released=bool(parts),
        findings=tuple(_orphans(seen, services, observed)),
    )


def _jobs(services: Mapping[Name, Service]) -> frozenset[Name]:
    """Return the services that are done when they end: somebody waits for that."""
    return frozenset(
        Name(one.name.project, tie.name)
        for one in services.values()
        for tie in one.depends_on
        if tie.condition == "service_completed_successfully"
    )


def _service(written: Written | None, seen: tuple[Sighting, ...], policy: Service | None) -> Service:
    """Return a service as the first release of it has it, else as its sources do."""
    source = as_written(written) if written else None
    first = min((one.part for one in seen if one.part), key=lambda part: (part.node, part.first), default=None)
    if first is not None:
        service = deployed(first, source, policy)
        return replace(service, replicas=source.replicas if source else Replicas())
    if source is None:
        raise ValueError("a service that neither a source nor a release has")
    return source


def _counted(service: Service, found: Whereabouts) -> Service:
    count = found.copies
    return replace(service, replicas=replace(service.replicas, count=count, minimum=count, maximum=count))


def _file(one: Sighting, service: Service, written: Written | None, policy: Service | None) -> Service:
    """Return a service as the file has it that a container was made from."""
    return deployed(one.part, as_written(written) if written else None, policy) if one.part else service


def _pool(seen: tuple[Sighting, ...], policy: Service | None, pools: Mapping[str, Pool]) -> Pool | None:
    """Return the pool of a service that rests today; None if it runs always. What a pool may take the policy knows."""
    if not any(one.part and one.part.on_demand for one in seen):
        return None
    pool = pools.get(policy.pool) if policy else None
    return pool if pool and pool.scaling == _ON_DEMAND else Pool(_ON_DEMAND, scaling=_ON_DEMAND)


def _cards(one: Sighting, nodes: Mapping[str, Node]) -> tuple[int, ...]:
    """Return the cards that a deployed file names."""
    ask = deployed(one.part, None, None).gpu if one.part else None
    if ask is None or not ask.device_ids:
        return ()
    named = tuple(card.index for card in nodes[one.node].gpus if {str(card.index), card.uuid} & set(ask.device_ids))
    return named if len(named) == ask.access else ()


def _projects(observed: Mapping[str, Observed], written: Mapping[Name, Written]) -> dict[str, Project]:
    known = {name.project for name in written}
    return {
        project: Project(project, root=one.root, place=Place(facts.file))
        for facts in observed.values()
        for project, one in facts.projects.items()
        if project not in known
    }


def _declared(observed: Mapping[str, Observed], section: str) -> dict[Name, Yaml]:
    """Return the volumes or networks that releases declare; the first node that has one speaks for it."""
    found: dict[Name, Yaml] = {}
    for facts in observed.values():
        for project, one in facts.projects.items():
            for key, node in getattr(one.compose, section).items() if one.compose else ():
                found.setdefault(Name(project, key), node)
    return found


def _orphans(
    seen: Mapping[Name, tuple[Sighting, ...]], services: Mapping[Name, Service], observed: Mapping[str, Observed]
) -> Iterator[Finding]:
    """Yield what runs, but no Compose file knows."""
    for name, some in seen.items():
        for one in some if name not in services else ():
            if one.seen.running:
                message = f"runs on {one.node}, but no Compose file of the policy has it"
                remedy = "add its Compose file under sources, or count it to the node's reserve"
                yield note("inventory/orphan", Place(observed[one.node].file), str(name), message, remedy)
