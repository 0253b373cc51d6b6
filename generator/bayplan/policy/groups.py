"""Tiers and pools, and who belongs to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from bayplan.finding import Finding, error
from bayplan.model.fleet import Pool, Tier
from bayplan.policy.patterns import is_pattern, matching
from bayplan.policy.values import Findings, quantity, whole_number, word, words
from bayplan.source import Node

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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


def read_tiers(document: Node) -> tuple[dict[str, Tier], Findings]:
    """Return the tiers of a policy by name; `standard` is built in."""
    findings = Findings()
    tiers = {STANDARD.name: STANDARD}
    for name, node in (document.get("tiers") or Node({}, document.place)).items():
        adjust = node.get("oom_score_adj")
        tiers[name] = Tier(
            name=name,
            priority=whole_number(node.get("priority"), STANDARD.priority),
            qos=word(node.get("qos")),
            cores=word(node.get("cores")),
            preemptible=word(node.get("preemptible")) == "true",
            overcommit=_overcommit(findings, name, node.get("overcommit")),
            oom_score_adj=whole_number(adjust, 0) if adjust is not None else None,
            place=node.here,
            why=word(node.get("why")),
        )
    return dict(sorted(tiers.items())), findings


def _overcommit(findings: Findings, tier: str, node: Node | None) -> dict[str, Fraction]:
    factors = {}
    for resource, value in node.items() if node else ():
        if isinstance(value.value, int | float) and not isinstance(value.value, bool) and value.value >= 1:
            factors[resource] = Fraction(value.text or str(value.value))
        else:
            findings.say("tiers/overcommit", value, f"tiers.{tier}.overcommit", f"'{value.string}' is below 1")
    return factors


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


def read_groups(document: Node, names: Iterable[Name]) -> tuple[Groups, Findings]:
    """Return tiers and pools with their members.

    Args:
        document: the merged policy.
        names: all services there are.
    """
    tiers, findings = read_tiers(document)
    pools, more = read_pools(document)
    findings.extend(more)
    everyone = tuple(sorted(names))
    empty = Node({}, document.place)
    tier_lists = {key: node.get("services") for key, node in (document.get("tiers") or empty).items()}
    tier_of = _members(findings, "tiers", tier_lists, everyone, {})
    pool_lists = {key: node.get("services") for key, node in (document.get("pools") or empty).items()}
    pool_of = _members(findings, "pools", pool_lists, everyone, tier_of)
    pool_of_tier = {
        tier: key for key, node in (document.get("pools") or empty).items() for tier in words(node.get("tiers"))
    }
    defaults = {
        f"{kind}/{key}": given
        for kind, section in (("tier", "tiers"), ("pool", "pools"))
        for key, node in (document.get(section) or empty).items()
        if (given := node.get("defaults")) is not None
    }
    return Groups(tiers, pools, tier_of, pool_of, pool_of_tier, defaults), findings


def _members(
    findings: Findings,
    section: str,
    lists: Mapping[str, Node | None],
    names: tuple[Name, ...],
    tier_of: Mapping[Name, tuple[str, Place]],
) -> dict[Name, tuple[str, Place]]:
    members: dict[Name, tuple[str, Place]] = {}
    exact: set[Name] = set()
    for key, selectors in lists.items():
        for selector in selectors or ():
            found, missing = select(selector, names, tier_of)
            if missing:
                findings.append(missing)
            for name in found:
                known = members.get(name)
                is_exact = _names_one(selector.string)
                if known is not None and known[0] != key and is_exact == (name in exact):
                    findings.append(_in_two(section, name, known, key, selector))
                elif is_exact or name not in exact:
                    members[name] = (key, selector.place)
                    exact.update({name} if is_exact else ())
    return members


def _names_one(selector: str) -> bool:
    """Whether a selector is a service's own name, which beats patterns and groups."""
    return not is_pattern(selector) and selector.partition("/")[0] not in {"tier", "pool", "project"}


def _in_two(section: str, name: Name, known: tuple[str, Place], key: str, selector: Node) -> Finding:
    message = f"is in two {section}: {known[0]} (at {known[1]}) and {key}"
    remedy = "narrow one of the two patterns, or name the service exactly in one of them"
    return error(f"{section}/two", selector.place, str(name), message, remedy, also=(known[1],))


def select(
    selector: Node, names: Iterable[Name], tier_of: Mapping[Name, tuple[str, Place]] | None = None
) -> tuple[tuple[Name, ...], Finding | None]:
    """Return the services that a selector names, and a finding if it names none.

    A selector is a service, a pattern, `tier/x` or `project/x`.
    """
    text = selector.string
    everyone = tuple(names)
    kind, _, rest = text.partition("/")
    if kind == "tier" and tier_of is not None:
        found = tuple(sorted(name for name in everyone if tier_of.get(name, ("", None))[0] == rest))
    elif kind == "project":
        found = tuple(sorted(name for name in everyone if name.project == rest))
    else:
        found = matching(text, everyone)
        if len(found) > 1 and not is_pattern(text):
            return found, ambiguous(selector, found)
    if found:
        return found, None
    return (), nothing(selector, everyone)


def ambiguous(node: Node, found: tuple[Name, ...]) -> Finding:
    """Return the finding for a bare name that several projects have."""
    several = ", ".join(str(name) for name in found)
    message = f"'{node.string}' is the name of {len(found)} services: {several}"
    return error("policy/ambiguous", node.here, node.string, message, f"write one of them, such as {found[0]}")


def nothing(node: Node, names: tuple[Name, ...], text: str = "") -> Finding:
    """Return the finding for a pattern or a name that matches no service, with the nearest that exists."""
    import difflib  # noqa: PLC0415 - needed for a mistake only, and slow to import

    wanted = text or node.string
    pool = {str(name): name for name in names} | {name.name: name for name in names}
    near = difflib.get_close_matches(wanted, sorted(pool), 1)
    guess = f"did you mean '{near[0]}'?" if near else "remove it, or name a service that exists"
    return error("policy/matches-nothing", node.here, wanted, f"'{wanted}' matches no service", guess)
