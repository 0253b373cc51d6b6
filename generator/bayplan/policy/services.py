"""One service TO-BE: the Compose file's, with what the policy fills, overrides and multiplies."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bayplan.compose.canonical import canonical_service
from bayplan.compose.merge import merge_service, settled
from bayplan.compose.overlay import read_overlay
from bayplan.compose.service import to_service, too_many_copies
from bayplan.finding import Finding, error
from bayplan.model.quantity import GPU_MEMORY, Quantity
from bayplan.model.service import MOST_COPIES, MOST_SCALED, GpuAsk, Replicas, Service, Tuning
from bayplan.policy.layers import Leaf, Leaves, Stack, stack, taken_back
from bayplan.policy.overrides import Gaps, Section, overrides
from bayplan.policy.quantities import Called, Factors, guaranteed, quantities
from bayplan.policy.rules import placement_rule
from bayplan.policy.teams import Teams, groups_of
from bayplan.policy.values import Findings, quantity, whole_number, word, words
from bayplan.source import Node

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.finding import Place
    from bayplan.model.names import Name
    from bayplan.policy.groups import Groups
    from bayplan.policy.patterns import Names, Texts


_PORT = re.compile(r"[0-9]{1,5}")


@dataclass(frozen=True, slots=True)
class Context:
    """All that services are built from, the same for each of them."""

    groups: Groups
    gaps: Gaps
    sections: tuple[Section, ...]
    names: Names
    nodes: Texts
    teams: Teams
    factors: Factors = field(default_factory=Factors)


@dataclass(frozen=True, slots=True)
class Written:
    """A service as it is written.

    Attributes:
        service: as its Compose files have it; its tree is canonical.
        findings: what could not be understood of it; what is laid over it may yet replace that.
        profiles: the profiles that are listed.
        env: the variables of its project.
        own: the `compose:` map that it is made of, if the policy itself defines it.
    """

    service: Service
    findings: tuple[Finding, ...]
    profiles: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    own: Node | None = None

    @property
    def name(self) -> Name:
        """Return whose it is."""
        return self.service.name


def written_service(
    name: Name, node: Node, profiles: tuple[str, ...] = (), env: Mapping[str, str] | None = None
) -> Written:
    """Return a service of a source, from its canonical tree."""
    service, found = to_service(name.project, name.name, node, profiles=profiles, variables=env)
    return Written(service, found, profiles, env or {})


def defined_service(findings: Findings, name: Name, node: Node) -> Written:
    """Return a service that the policy itself defines: its `compose:` map is laid over nothing."""
    own = node.get("compose") or node
    compose, found = read_overlay(str(name), own, {})
    findings.extend(found)
    canonical, found = canonical_service(compose if compose is not None else Node({}, node.place))
    findings.extend(found)
    service, found = to_service(name.project, name.name, settled(canonical), place=node.here)
    return Written(service, found, own=own)


def build(findings: Findings, context: Context, written: Written) -> Service:
    """Return the service that the policy makes of a written one."""
    over, compose = overrides(findings, written.name, context.sections)
    base = _composed(findings, written, compose)
    tier, pool = groups_of(findings, context.groups, written.name, over)
    fill = context.gaps.fill(tier, pool)
    return _apply(findings, context, base, fill, over, tier, pool)


def _composed(findings: Findings, written: Written, overlays: tuple[Node, ...]) -> Service:
    """Return a service with the overlays laid over it; its own map, where it comes first, is what it is made of."""
    if overlays and overlays[0] is written.own:
        overlays = overlays[1:]
    if not overlays:
        findings.extend(written.findings)
        return written.service
    node: Node = written.service.tree
    for overlay in overlays:
        checked, found = read_overlay(str(written.name), overlay, written.env)
        findings.extend(found)
        node = merge_service(node, checked) if checked is not None else node
    node, found = canonical_service(node)
    findings.extend(found)
    name, place = written.name, written.service.place
    service, found = to_service(
        name.project, name.name, node, profiles=written.profiles, variables=written.env, place=place
    )
    findings.extend(found)
    return service


def _apply(
    findings: Findings, context: Context, base: Service, fill: Stack, over: Stack, tier: str, pool: str
) -> Service:
    group = context.groups.tiers[tier]
    said = over.get(("qos",)) or fill.get(("qos",))
    named = over.get(("tier",))
    listed = named.node.place if named else context.groups.tier_of.get(base.name, (tier, group.place))[1]
    qos, place = (word(said.node), said.node.place) if said else (group.qos, listed)
    called = Called(qos, place, context.factors.environment)
    halves = guaranteed(findings, base, quantities(findings, base, fill, over, context.factors), called)
    cores = over.get(("cores",)) or fill.get(("cores",))
    pool_cores = context.groups.pools[pool].cores if pool else ""
    return replace(
        base,
        requests=halves["requests"],
        limits=halves["limits"],
        replicas=_replicas(findings, base, fill, over, context.factors),
        tier=tier,
        pool=pool,
        gpu=_gpu(findings, base, fill, over, context.factors),
        placement=placement_rule(
            findings, base.name, _layered(fill, over, "placement"), context.names, context.nodes, context.teams
        ),
        cores=word(cores.node) if cores else (pool_cores or group.cores or "shared"),
        qos=qos,
        tuning=_tuning(_layered(fill, over, "tuning")),
        remap_ports=_remap(findings, base, over.under("remap_ports")),
        why=_reasons(over),
        changed={path[0]: leaf.why for path, leaf in sorted(over.items()) if leaf.why},
        settings={path: leaf.node for path, leaf in stack([fill, over]).items()},
    )


def _layered(fill: Stack, over: Stack, key: str) -> Leaves:
    return stack([fill.under(key), over.under(key)])


def _reasons(over: Leaves) -> str:
    """Return the reasons of the layers that change a service, each once, in a stable order."""
    return "; ".join(sorted({leaf.why for leaf in over.values() if leaf.why}))


def _replicas(findings: Findings, base: Service, fill: Stack, over: Stack, factors: Factors) -> Replicas:
    written = "replicas" in (base.body.get("deploy") or {})
    said = over.get(("replicas",)) or (None if written else fill.get(("replicas",)))
    count = whole_number(said.node, base.replicas.count, MOST_COPIES) if said else base.replicas.count
    place = said.node.place if said else base.replicas.place
    scale = over.under("scale") or fill.under("scale")
    lowest = scale.get(("min",))
    highest = scale.get(("max",))
    minimum = whole_number(lowest.node, count, MOST_COPIES) if lowest else count
    maximum = whole_number(highest.node, count, MOST_SCALED) if highest else count
    if lowest:
        count = max(minimum, count) if said else minimum
        place = lowest.node.place
    if highest and maximum < max(minimum, count):
        findings.append(_backwards(str(base.name), highest.node.place, maximum, minimum, count))
    maximum = max(maximum, minimum)
    factor = factors.of.get("replicas")
    if factor is not None:
        count, minimum, maximum = (-(-factor.numerator * n // factor.denominator) for n in (count, minimum, maximum))
    if count > MOST_COPIES or maximum > MOST_SCALED:
        findings.append(too_many_copies(str(base.name), place, max(count, maximum)))
        return Replicas(place=place)
    return Replicas(count, minimum, maximum, place, scaled=any(scale))


def _backwards(subject: str, place: Place, most: int, least: int, first: int) -> Finding:
    other = f"never has fewer than {least}" if most < least else f"starts with {first}"
    message = f"may have {most} copies at most, but {other}"
    needed = max(least, first)
    return error("replicas/backwards", place, subject, message, arithmetic=f"{most} < {needed}", write=str(needed))


def _gpu(findings: Findings, base: Service, fill: Stack, over: Stack, factors: Factors) -> GpuAsk | None:
    found = _layered(fill, over, "gpu")
    if not found:
        return base.gpu
    if taken_back(found):
        return None
    found = {path: leaf for path, leaf in found.items() if leaf.node.value is not None}
    if not found:
        return base.gpu
    memory = found.get(("memory",))
    count, profile = found.get(("count",)), found.get(("profile",))
    size = _vram(findings, base, memory, factors) if memory else 0
    leaf = memory or count or profile or next(iter(found.values()))
    together = found.get(("same_node",))
    return GpuAsk(
        memory=size,
        count=whole_number(count.node, 0, MOST_COPIES) if count else 0,
        profile=word(profile.node) if profile else "",
        same_node=together is None or together.node.value is not False,
        require={path[1]: word(one.node) for path, one in sorted(found.items()) if path[:1] == ("require",)},
        isolation=word(found[("isolation",)].node) if ("isolation",) in found else "",
        time_group=word(found[("time_group",)].node) if ("time_group",) in found else "",
        place=leaf.node.here,
    )


def _vram(findings: Findings, base: Service, leaf: Leaf, factors: Factors) -> int:
    found = quantity(findings, f"services.{base.name}.gpu", GPU_MEMORY, leaf.node)
    return factors.apply(GPU_MEMORY, found or Quantity(0)).amount


def _tuning(found: Mapping[tuple[str, ...], Leaf]) -> Tuning | None:
    if not found or taken_back(found):
        return None
    recipe = found.get(("recipe",))
    command = found.get(("command",))
    known = {"recipe", "environment", "command"}
    ordered = sorted(found.items())
    return Tuning(
        recipe=word(recipe.node) if recipe else "",
        options={path[0]: word(one.node) for path, one in ordered if len(path) == 1 and path[0] not in known},
        environment={path[1]: word(one.node) for path, one in ordered if path[:1] == ("environment",) and path[1:]},
        command=words(command.node) if command else (),
        place=next(iter(found.values())).node.here,
    )


def _remap(findings: Findings, base: Service, found: Mapping[tuple[str, ...], Leaf]) -> dict[int, int]:
    remap: dict[int, int] = {}
    published = {port.published for port in base.ports}
    for path, leaf in found.items():
        if len(path) != 1 or not _PORT.fullmatch(path[0]):
            continue
        if int(path[0]) not in published:
            few = sorted(filter(None, published))[:20]
            has = ", ".join(str(port) for port in few) or "none"
            message = f"publishes no port {path[0]}; it has {has}"
            findings.append(error("network/remap", leaf.node.here, str(base.name), message, "remove the line"))
            continue
        remap[int(path[0])] = whole_number(leaf.node, 0)
    return remap
