"""Tiers and pools, and who belongs to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bayplan.finding import Finding, error
from bayplan.model.fleet import Pool, Tier
from bayplan.policy.patterns import Names, is_pattern
from bayplan.policy.values import Findings, factor, quantity, whole_number, word
from bayplan.source import Node

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from fractions import Fraction

    from bayplan.finding import Place
    from bayplan.model.names import Name
    from bayplan.model.quantity import Quantity

STANDARD = Tier("standard")


@dataclass(frozen=True, slots=True)
class Groups:
    """Tiers and pools by name, the group of each service that a list names, and the groups' own defaults."""

    tiers: Mapping[str, Tier]
    pools: Mapping[str, Pool]
    tier_of: Mapping[Name, tuple[str, Place]] = field(default_factory=dict)
    pool_of: Mapping[Name, tuple[str, Place]] = field(default_factory=dict)
    pool_of_tier: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Node] = field(default_factory=dict)
    """`tier/x` or `pool/x` → its `defaults:` map."""


def read_tiers(document: Node) -> dict[str, Tier]:
    """Return the tiers of a policy by name; `standard` is built in."""
    tiers = {STANDARD.name: STANDARD}
    for name, node in (document.get("tiers") or Node({}, document.place)).items():
        adjust = node.get("oom_score_adj")
        tiers[name] = Tier(
            name=name,
            priority=whole_number(node.get("priority"), STANDARD.priority),
            qos=word(node.get("qos")),
            cores=word(node.get("cores")),
            preemptible=word(node.get("preemptible")) == "true",
            overcommit=_overcommit(node.get("overcommit")),
            oom_score_adj=whole_number(adjust, 0) if adjust is not None else None,
            place=node.here,
            why=word(node.get("why")),
            cores_place=_place(node, "cores"),
        )
    return dict(sorted(tiers.items()))


def _place(node: Node, key: str) -> Place:
    """Return where a key is written, or else its map."""
    found = node.get(key)
    return node.here if found is None else found.place


def _overcommit(node: Node | None) -> dict[str, Fraction]:
    """Return resource → factor; the schema has named what is none."""
    found = {resource: factor(value) for resource, value in (node.items() if node else ())}
    return {resource: one for resource, one in found.items() if one is not None and one >= 1}


def read_pools(document: Node) -> tuple[dict[str, Pool], Findings]:
    """Return the pools of a policy by name."""
    findings = Findings()
    pools = {}
    for name, node in (document.get("pools") or Node({}, document.place)).items():
        quota = node.get("quota")
        pools[name] = Pool(
            name=name,
            scaling=word(node.get("scaling"), "fixed"),
            quota=read_quota(findings, f"pools.{name}.quota", quota),
            per_node=quota is not None and word(quota.get("per")) == "node",
            concurrent=whole_number(node.get("concurrent"), 0),
            cores=word(node.get("cores")),
            stop_when_idle=word(node.get("stop_when_idle")),
            place=node.here,
            why=word(node.get("why")),
            cores_place=_place(node, "cores"),
        )
    return dict(sorted(pools.items())), findings


def read_quota(findings: Findings, subject: str, node: Node | None) -> dict[str, dict[str, Quantity]]:
    """Return `requests` and `limits` of a quota as quantities."""
    quota: dict[str, dict[str, Quantity]] = {}
    for half in ("requests", "limits"):
        part = node.get(half) if node else None
        for resource, value in part.items() if part else ():
            if resource != "why":
                found = quantity(findings, f"{subject}.{half}", resource, value, source="quota")
                if found:
                    quota.setdefault(half, {})[resource] = found
    return quota


def read_groups(document: Node, names: Names) -> tuple[Groups, Findings]:
    """Return tiers and pools with their members.

    Args:
        document: the merged policy.
        names: all services there are.
    """
    tiers = read_tiers(document)
    pools, findings = read_pools(document)
    empty = Node({}, document.place)
    tier_of = _members(findings, "tiers", _lists(document, "tiers", "services"), names, {})
    of_tiers = by_tier((name, tier) for name, (tier, _) in sorted(tier_of.items()))
    pool_of = _members(findings, "pools", _lists(document, "pools", "services"), names, of_tiers)
    _donors(findings, document, pools)
    pool_of_tier = _pools_of_tiers(findings, _lists(document, "pools", "tiers"), tiers)
    defaults = {
        f"{kind}/{key}": given
        for kind, section in (("tier", "tiers"), ("pool", "pools"))
        for key, node in (document.get(section) or empty).items()
        if (given := node.get("defaults")) is not None
    }
    return Groups(tiers, pools, tier_of, pool_of, pool_of_tier, defaults), findings


def _lists(document: Node, section: str, key: str) -> dict[str, Node]:
    """Return the lists of all groups that have one, by the groups' names: the order of keys decides nothing."""
    groups = (document.get(section) or Node({}, document.place)).items()
    return {name: found for name, node in sorted(groups) if (found := node.get(key)) is not None}


def _members(
    findings: Findings,
    section: str,
    lists: Mapping[str, Node],
    names: Names,
    tiers: Mapping[str, Sequence[Name]],
) -> dict[Name, tuple[str, Place]]:
    members: dict[Name, tuple[str, Place]] = {}
    listed = [(key, selector) for key, selectors in lists.items() for selector in selectors]
    # Exact names first: what they decide, no pattern can contradict.
    for exact in (True, False):
        settled = frozenset(members)
        for key, selector in listed:
            if _names_one(selector.string) is not exact:
                continue
            found, missing = select(selector, names, tiers)
            if missing:
                findings.append(missing)
            for name in (name for name in found if name not in settled):
                known = members.setdefault(name, (key, selector.place))
                if known[0] != key:
                    findings.append(_in_two(section, str(name), known, key, selector))
    return members


def _pools_of_tiers(findings: Findings, tiers_of: Mapping[str, Node], tiers: Mapping[str, Tier]) -> dict[str, str]:
    """Return tier → the pool that takes all of its services."""
    taken: dict[str, tuple[str, Place]] = {}
    for key, listed in tiers_of.items():
        for item in listed:
            if item.string not in tiers:
                known = f"use one of: {', '.join(tiers)}"
                findings.say("tiers/unknown", item, f"pools.{key}", f"'{item.string}' is not among tiers", known)
                continue
            first = taken.setdefault(item.string, (key, item.place))
            if first[0] != key:
                remedy = "name the tier in one of them; the other may list services"
                findings.append(_in_two("pools", f"tier/{item.string}", first, key, item, remedy))
    return {tier: pool for tier, (pool, _) in taken.items()}


def _donors(findings: Findings, document: Node, pools: Mapping[str, Pool]) -> None:
    """Name the donors of bursts that are no pools."""
    for key, burst in _lists(document, "pools", "burst").items():
        donors = burst.get("donors")
        for item in donors if donors is not None and donors.is_list else ():
            if item.string not in pools:
                known = f"use one of: {', '.join(name for name in pools if name != key) or 'there is no other pool'}"
                findings.say("pools/unknown", item, f"pools.{key}.burst", f"'{item.string}' is not among pools", known)


def _names_one(selector: str) -> bool:
    """Whether a selector is a service's own name, which beats patterns and groups."""
    return not is_pattern(selector) and selector.partition("/")[0] not in {"tier", "pool", "project"}


def _in_two(
    section: str,
    subject: str,
    known: tuple[str, Place],
    key: str,
    selector: Node,
    remedy: str = "narrow one of the two patterns, or name the service exactly in one of them",
) -> Finding:
    message = f"is in two {section}: {known[0]} (at {known[1]}) and {key}"
    return error(f"{section}/two", selector.place, subject, message, remedy, also=(known[1],))


def by_tier(tier_of: Iterable[tuple[Name, str]]) -> dict[str, list[Name]]:
    """Return tier → its services, in the order in which they are given."""
    found: dict[str, list[Name]] = {}
    for name, tier in tier_of:
        found.setdefault(tier, []).append(name)
    return found


def select(
    selector: Node,
    names: Names | Iterable[Name],
    tiers: Mapping[str, Sequence[Name]] | None = None,
    but: Name | None = None,
    pools: Mapping[str, Sequence[Name]] | None = None,
) -> tuple[tuple[Name, ...], Finding | None]:
    """Return the services that a selector names, sorted, and a finding if it names none.

    Args:
        selector: a service, a pattern, `tier/x`, `pool/x` or `project/x`.
        names: all services.
        tiers: tier → its services, sorted, where a tier may be named.
        but: the service that is not meant: the one that speaks of others.
        pools: pool → its services, sorted, where a pool may be named.
    """
    text = selector.string
    everyone = names if isinstance(names, Names) else Names(names)
    kind, _, rest = text.partition("/")
    if kind == "tier" and tiers is not None:
        found = tuple(tiers.get(rest, ()))
    elif kind == "pool" and pools is not None:
        found = tuple(pools.get(rest, ()))
    elif kind == "project":
        found = everyone.of_project(rest)
    else:
        found = everyone.matching(text)
    if but is not None:
        found = tuple(name for name in found if name != but)
    if len(found) > 1 and not is_pattern(text) and "/" not in text:
        return found, ambiguous(selector, found)
    if found:
        return found, None
    return (), nothing(selector, everyone, but=but)


def ambiguous(node: Node, found: tuple[Name, ...], kind: str = "service") -> Finding:
    """Return the finding for a bare name that several projects have."""
    several = ", ".join(str(name) for name in found)
    message = f"'{node.string}' is the name of {len(found)} {kind}s: {several}"
    return error("policy/ambiguous", node.here, node.string, message, f"write one of them, such as {found[0]}")


def nothing(node: Node, names: Names, kind: str = "service", but: Name | None = None) -> Finding:
    """Return the finding for a pattern or a name that matches nothing, with the nearest that exists."""
    near = names.near(node.string, but)
    guess = f"did you mean '{near}'?" if near else f"remove it, or name a {kind} that exists"
    return error("policy/matches-nothing", node.here, node.string, f"'{node.string}' matches no {kind}", guess)
