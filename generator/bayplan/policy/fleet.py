"""From a policy's documents to the two fleets: as it is, and as it should be."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bayplan.compose.references import DEFAULT_NETWORK
from bayplan.compose.service import too_many_together
from bayplan.errors import PolicyError
from bayplan.finding import Finding, error
from bayplan.model.fleet import Fleet, Node, Pool, Volume
from bayplan.model.names import Name
from bayplan.model.service import MOST_COPIES, Replicas
from bayplan.policy.as_is import Today, Wanted, today
from bayplan.policy.edges import read_edges, read_proxies
from bayplan.policy.environment import Environment, choose, environment
from bayplan.policy.estimates import broad, estimate, read_estimates
from bayplan.policy.folder import misnamed, read_folder
from bayplan.policy.groups import Groups, read_groups
from bayplan.policy.nodes import read_nodes
from bayplan.policy.observed import Observed, read_observed
from bayplan.policy.overrides import Gaps, defined_here, resolve
from bayplan.policy.patterns import Names, Texts
from bayplan.policy.services import Context, Written, build, defined_service, written_service
from bayplan.policy.sources import Source, declared, read_sources
from bayplan.policy.teams import Teams
from bayplan.policy.topology import networks, volumes, with_today
from bayplan.policy.validate import validate
from bayplan.policy.values import Findings, words
from bayplan.policy.waits import waits
from bayplan.source import Node as Yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from fractions import Fraction
    from pathlib import Path

    from bayplan.model.service import Service


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy, read: both fleets, the document for what is not in the model, and all findings so far."""

    name: str
    environment: str
    document: Yaml
    as_is: Fleet
    to_be: Fleet
    observed: Mapping[str, Observed]
    findings: tuple[Finding, ...]
    factors: Mapping[str, Fraction] = field(default_factory=dict)
    """What the environment multiplies, if the policy has environments."""
    ranged: bool = False
    """Whether a factor is a range; the fleets are those of its upper end."""

    @property
    def released(self) -> bool:
        """Whether bayplan has deployed something on a node of this environment."""
        return any(facts.projects for node, facts in self.observed.items() if node in self.to_be.nodes)


def read_policy(path: Path, inventory: Path | None = None, env: str | None = None, *, lower: bool = False) -> Policy:
    """Read the policy at `path`, the Compose files it names and what was observed of its nodes.

    Args:
        path: a policy folder, or one policy file.
        inventory: the folder `inventory/<fleet>`, if there is one.
        env: the environment; may be left out where there is only one.
        lower: whether ranges of factors count at their lower end.

    Raises:
        PolicyError: if there is nothing to read.
        UsageError: if the environment is unknown or must be chosen.
    """
    document, found = read_folder(path)
    findings = Findings([*found, *validate(document)])
    observed, seen = read_observed(inventory / "observed") if inventory else ({}, ())
    findings.extend(seen)
    nodes, more = read_nodes(document, observed)
    findings.extend(more)
    setting, more = environment(document, choose(document, env), Texts(nodes), lower=lower)
    findings.extend(more)
    everywhere = tuple(nodes)
    if setting.nodes is not None:
        nodes = {name: nodes[name] for name in setting.nodes}
    folder = path if path.is_dir() else path.parent
    name = path.resolve().name if path.is_dir() else path.resolve().parent.name
    findings.extend(misnamed(folder, name))
    sources, more = read_sources(setting.document, folder, nodes, everywhere)
    findings.extend(more)
    as_is, to_be = _fleets(findings, name, setting, nodes, sources, observed)
    return Policy(
        name,
        setting.name,
        setting.document,
        as_is,
        to_be,
        observed,
        tuple(findings),
        setting.factors.of,
        setting.ranged,
    )


def read_machines(path: Path, env: str | None = None) -> tuple[Node, ...]:
    """Return the nodes of a policy, by name, whatever else may be wrong with it: they can be looked at all the same.

    Args:
        path: a policy folder, or one policy file.
        env: the environment; without one, the nodes of all.

    Raises:
        PolicyError: if there is nothing to read.
        UsageError: if the environment is unknown.
    """
    document, found = read_folder(path)
    nodes, faults = read_nodes(document, {})
    astray = [one for one in faults if one.rule == "nodes/address"]
    if astray:
        raise PolicyError("a node has an address that is none; nobody was asked", astray)
    if not nodes:
        raise PolicyError("the policy has no nodes; write nodes: {NAME: ADDRESS}", found)
    if env is None:
        return tuple(nodes.values())
    setting, _ = environment(document, choose(document, env), Texts(nodes))
    return tuple(nodes[name] for name in (nodes if setting.nodes is None else setting.nodes))


def _fleets(
    findings: Findings,
    name: str,
    setting: Environment,
    nodes: Mapping[str, Node],
    sources: Mapping[str, Source],
    observed: Mapping[str, Observed],
) -> tuple[Fleet, Fleet]:
    document = setting.document
    written = _written(sources)
    own = defined_here(document.get("services"), Names(written), name)
    new = {Name(name, key): defined_service(findings, Name(name, key), node) for key, node in own.items()}
    proxies = read_proxies(findings, document, name, {**written, **new})
    new |= {proxy: defined_service(findings, proxy, node) for proxy, node in proxies.written.items()}
    names = Names({**written, **new})
    groups, found = read_groups(document, names)
    findings.extend(found)
    sections = (
        proxies.section,
        resolve(findings, document.get("services"), names),
        resolve(findings, setting.services, names),
    )
    teams = Teams(groups, sections, names)
    context = Context(groups, Gaps(document, groups), sections, names, Texts(nodes), teams, setting.factors)
    lines, found = read_estimates(document)
    findings.extend(found)
    built = [build(findings, context, one) for one in {**written, **new}.values()]
    after = estimate(_countable(findings, built), lines)
    findings.extend(broad(lines, after))
    findings.extend(waits(findings, after))
    _empty_pools(findings, after, groups)
    pools = {key: _multiplied(pool, setting) for key, pool in groups.pools.items()}
    wanted = Wanted(
        services={one.name: one for one in sorted(after, key=lambda one: one.name)},
        pools=pools,
        volumes=_volumes(findings, document, declared(sources, "volumes"), after, observed),
        homes={project: source.project.node for project, source in sources.items()},
    )
    now = today(written, wanted, nodes, observed)
    findings.extend(now.findings)
    before = estimate(now.services.values(), lines)
    shape = _shape(findings, name, setting, nodes, sources, now)
    as_is = replace(
        shape,
        services={one.name: one for one in before},
        tiers=groups.tiers if now.released else {},
        pools=now.pools,
        volumes=_volumes(
            Findings(),
            Yaml({}, document.place),
            {**declared(sources, "volumes"), **now.volumes},
            before,
            observed,
        ),
        networks=networks(Findings(), document.get("networks"), {**_networks(document, name, sources), **now.networks}),
        projects={**shape.projects, **now.projects},
    )
    to_be = replace(
        shape,
        services=wanted.services,
        tiers=groups.tiers,
        pools=pools,
        volumes=with_today(
            wanted.volumes, before, shape.standing, {node: facts.devices for node, facts in observed.items()}
        ),
        edges=read_edges(findings, document, name, wanted.services),
    )
    return as_is, to_be


def _networks(document: Yaml, name: str, sources: Mapping[str, Source]) -> dict[Name, Yaml]:
    """Return the networks of the Compose files, and the default ones of projects that the policy speaks of."""
    section = document.get("networks")
    own = {
        Name(project, DEFAULT_NETWORK): Yaml({}, node.place)
        for project in (name, *sources)
        if section is not None and (node := section.get(f"{project}/{DEFAULT_NETWORK}")) is not None
    }
    return {**own, **declared(sources, "networks")}


def _written(sources: Mapping[str, Source]) -> dict[Name, Written]:
    return {
        Name(project, key): written_service(Name(project, key), node, source.project.profiles, source.compose.env)
        for project, source in sources.items()
        if source.compose
        for key, node in source.compose.services.items()
    }


def _shape(
    findings: Findings,
    name: str,
    setting: Environment,
    nodes: Mapping[str, Node],
    sources: Mapping[str, Source],
    now: Today,
) -> Fleet:
    """Return what both fleets have in common."""
    return Fleet(
        name=name,
        environment=setting.name,
        nodes=nodes,
        services={},
        networks=networks(findings, setting.document.get("networks"), _networks(setting.document, name, sources)),
        projects={key: source.project for key, source in sources.items()},
        standing=now.standing,
        idle=now.idle,
        cards=now.cards,
        targets=words(setting.document.get("targets")) or ("compose",),
    )


def _volumes(
    findings: Findings,
    document: Yaml,
    known: Mapping[Name, Yaml],
    services: Iterable[Service],
    observed: Mapping[str, Observed],
) -> Mapping[Name, Volume]:
    everyone = tuple(services)
    every = dict(known)
    for service in everyone:
        for mount in service.mounts:
            if mount.kind == "volume" and mount.source:
                every.setdefault(Name(service.name.project, mount.source), Yaml({}, mount.place))
    sizes = {key: size for facts in observed.values() for key, size in facts.volumes.items()}
    return volumes(findings, document.get("volumes"), every, everyone, sizes)


def _multiplied(pool: Pool, setting: Environment) -> Pool:
    quota = {
        half: {resource: setting.factors.apply(resource, amount) for resource, amount in amounts.items()}
        for half, amounts in pool.quota.items()
    }
    return replace(pool, quota=quota)


def _countable(findings: Findings, services: Iterable[Service]) -> Iterator[Service]:
    """Yield the services; those that would bring the copies of all to more than can be counted, with one."""
    left = MOST_COPIES
    for service in services:
        left -= service.replicas.count
        if left >= 0:
            yield service
            continue
        findings.append(too_many_together(str(service.name), service.replicas.place))
        left += service.replicas.count
        yield replace(service, replicas=Replicas(place=service.replicas.place))


def _empty_pools(findings: Findings, services: Iterable[Service], groups: Groups) -> None:
    """Name the pools that nobody belongs to: they would promise something to no one."""
    used = {service.pool for service in services}
    for key, pool in groups.pools.items():
        if key not in used:
            findings.append(error("pools/empty", pool.place, f"pools.{key}", "has no member", "list services or tiers"))
