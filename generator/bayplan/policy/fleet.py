"""From a policy's documents to the two fleets: as it is, and as it should be."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bayplan.compose.canonical import canonical_service
from bayplan.compose.overlay import read_overlay
from bayplan.compose.service import to_service
from bayplan.finding import Finding, Place, error, note
from bayplan.model.fleet import Fleet, Node, Pool, Volume
from bayplan.model.names import Instance, Name
from bayplan.model.quantity import CPUS
from bayplan.policy.environment import Environment, choose, environment
from bayplan.policy.estimates import broad, estimate, read_estimates
from bayplan.policy.folder import read_folder
from bayplan.policy.groups import Groups, read_groups
from bayplan.policy.nodes import read_nodes
from bayplan.policy.observed import Observed, read_observed
from bayplan.policy.overrides import defined_here, resolve
from bayplan.policy.services import Context, Written, build
from bayplan.policy.sources import Source, read_sources
from bayplan.policy.topology import networks, volumes
from bayplan.policy.validate import validate
from bayplan.policy.values import Findings, words
from bayplan.source import Node as Yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
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


def read_policy(path: Path, inventory: Path | None = None, env: str | None = None) -> Policy:
    """Read the policy at `path`, the Compose files it names and what was observed of its nodes.

    Args:
        path: a policy folder, or one policy file.
        inventory: the folder `inventory/<fleet>`, if there is one.
        env: the environment; may be left out where there is only one.

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
    setting, more = environment(document, choose(document, env), tuple(nodes))
    findings.extend(more)
    everywhere = tuple(nodes)
    if setting.nodes is not None:
        nodes = {name: nodes[name] for name in setting.nodes}
    name = path.resolve().name if path.is_dir() else path.resolve().parent.name
    folder = path if path.is_dir() else path.parent
    sources, more = read_sources(setting.document, folder, nodes, everywhere)
    findings.extend(more)
    as_is, to_be = _fleets(findings, name, setting, nodes, sources, observed)
    return Policy(name, setting.name, setting.document, as_is, to_be, observed, tuple(findings), setting.factors.of)


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
    own = defined_here(document.get("services"), tuple(written), name)
    new = {Name(name, key): _defined(findings, Name(name, key), node) for key, node in own.items()}
    names = tuple(sorted({**written, **new}))
    groups, found = read_groups(document, names)
    findings.extend(found)
    sections = (
        resolve(findings, document.get("services"), names),
        resolve(findings, setting.services, names),
    )
    context = Context(document, groups, sections, names, tuple(nodes), setting.factors)
    lines, found = read_estimates(document)
    findings.extend(found)
    before = estimate((_as_written(one) for one in written.values()), lines)
    after = estimate((build(findings, context, one) for one in {**written, **new}.values()), lines)
    findings.extend(broad(lines, after))
    _empty_pools(findings, after, groups)
    shape = _shape(findings, name, setting, nodes, sources, observed, before)
    as_is = replace(shape, services={one.name: one for one in sorted(before, key=lambda one: one.name)})
    to_be = replace(
        shape,
        services={one.name: one for one in sorted(after, key=lambda one: one.name)},
        tiers=groups.tiers,
        pools={key: _multiplied(pool, setting) for key, pool in groups.pools.items()},
        volumes=_volumes(findings, document, sources, after, observed),
    )
    return as_is, to_be


def _written(sources: Mapping[str, Source]) -> dict[Name, Written]:
    return {
        Name(project, key): Written(Name(project, key), node, source.project.profiles, node.here, source.compose.env)
        for project, source in sources.items()
        if source.compose
        for key, node in source.compose.services.items()
    }


def _defined(findings: Findings, name: Name, node: Yaml) -> Written:
    """Return a service that the policy itself defines; its `compose:` map is laid over nothing."""
    compose, found = read_overlay(str(name), node.get("compose") or node, {})
    findings.extend(found)
    canonical, found = canonical_service(compose if compose is not None else Yaml({}, node.place))
    findings.extend(found)
    return Written(name, canonical, (), node.here)


def _as_written(written: Written) -> Service:
    """Return a service as it runs today; its findings come with TO-BE, which is built from the same tree.

    Docker ignores a CPU reservation, so beside a CPU limit it promises nothing: the limit is what counts.
    """
    service, _ = to_service(
        written.name.project, written.name.name, written.node, profiles=written.profiles, place=written.place
    )
    if CPUS in service.limits:
        requests = {resource: amount for resource, amount in service.requests.items() if resource != CPUS}
        return replace(service, requests=requests)
    return service


def _shape(
    findings: Findings,
    name: str,
    setting: Environment,
    nodes: Mapping[str, Node],
    sources: Mapping[str, Source],
    observed: Mapping[str, Observed],
    before: Iterable[Service],
) -> Fleet:
    today = tuple(before)
    declared_networks = {
        Name(project, key): node
        for project, source in sources.items()
        if source.compose
        for key, node in source.compose.networks.items()
    }
    no_words = Findings()
    return Fleet(
        name=name,
        environment=setting.name,
        nodes=nodes,
        services={},
        volumes=_volumes(no_words, Yaml({}, setting.document.place), sources, today, observed),
        networks=networks(findings, setting.document.get("networks"), declared_networks),
        projects={key: source.project for key, source in sources.items()},
        standing=_standing(findings, sources, today, nodes, observed),
        targets=words(setting.document.get("targets")) or ("compose",),
    )


def _volumes(
    findings: Findings,
    document: Yaml,
    sources: Mapping[str, Source],
    services: Iterable[Service],
    observed: Mapping[str, Observed],
) -> Mapping[Name, Volume]:
    declared = {
        Name(project, key): node
        for project, source in sources.items()
        if source.compose
        for key, node in source.compose.volumes.items()
    }
    everyone = tuple(services)
    for service in everyone:
        for mount in service.mounts:
            if mount.kind == "volume" and mount.source:
                declared.setdefault(Name(service.name.project, mount.source), Yaml({}, mount.place))
    sizes = {key: size for facts in observed.values() for key, size in facts.volumes.items()}
    return volumes(findings, document.get("volumes"), declared, everyone, sizes)


def _standing(
    findings: Findings,
    sources: Mapping[str, Source],
    services: Iterable[Service],
    nodes: Mapping[str, Node],
    observed: Mapping[str, Observed],
) -> dict[Instance, str]:
    """Return where each copy runs today: as observed, else on the node that its source names."""
    standing: dict[Instance, str] = {}
    seen = {one: node for node, facts in sorted(observed.items()) if node in nodes for one in facts.running}
    for service in services:
        node = sources[service.name.project].project.node
        if not service.active:
            continue
        for number in range(1, service.replicas.count + 1):
            copy = Instance(service.name, number)
            where = seen.get(copy, node)
            if where:
                standing[copy] = where
    known = {service.name for service in services}
    for one, node in seen.items():
        if one.service not in known:
            message = f"runs on {node}, but no Compose file of the policy has it"
            place = Place(observed[node].file)
            remedy = "add its Compose file under sources, or count it to the node's reserve"
            findings.append(note("inventory/orphan", place, str(one.service), message, remedy))
    return dict(sorted(standing.items()))


def _multiplied(pool: Pool, setting: Environment) -> Pool:
    quota = {
        half: {resource: setting.factors.apply(resource, amount) for resource, amount in amounts.items()}
        for half, amounts in pool.quota.items()
    }
    return replace(pool, quota=quota)


def _empty_pools(findings: Findings, services: Iterable[Service], groups: Groups) -> None:
    """Name the pools that nobody belongs to: they would promise something to no one."""
    used = {service.pool for service in services}
    for key, pool in groups.pools.items():
        if key not in used:
            findings.append(error("pools/empty", pool.place, f"pools.{key}", "has no member", "list services or tiers"))
