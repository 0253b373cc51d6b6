"""`placement:` of a service: the node names and service patterns it speaks of, resolved."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from bayplan.finding import error
from bayplan.model.service import PlacementRule
from bayplan.policy.groups import select
from bayplan.policy.layers import Leaf, taken_back
from bayplan.policy.values import Findings, word, words

if TYPE_CHECKING:
    from bayplan.model.names import Name
    from bayplan.policy.patterns import Names, Texts
    from bayplan.source import Node

_FEW = 8
_LIKE = 0.75
"""How alike a name is that was meant."""
_STRENGTH = ("node", "nodes", "require", "affinity", "spread", "anti_affinity", "prefer", "tolerations")
"""Keys of a rule, by how much they leave to choose: the first that is written is where the rule is."""
Found = Mapping[tuple[str, ...], Leaf]


class Teams(Protocol):
    """Who belongs to each tier and to each pool, by name."""

    @property
    def tiers(self) -> Mapping[str, Sequence[Name]]:
        """Return tier → its services."""
        ...

    @property
    def pools(self) -> Mapping[str, Sequence[Name]]:
        """Return pool → its services."""
        ...


def placement_rule(
    findings: Findings, service: Name, found: Found, names: Names, nodes: Texts, teams: Teams
) -> PlacementRule:
    """Return where a service may stand; unknown nodes and services are findings."""
    if not found or taken_back(found):
        return PlacementRule()
    node, spread = found.get(("node",)), found.get(("spread", "by"))
    soft = found.get(("spread", "soft"))
    places = {path[0]: leaf for path, leaf in reversed(tuple(found.items())) if path}
    first = next((places[key] for key in _STRENGTH if key in places), tuple(found.values())[-1])
    return PlacementRule(
        node=_node(findings, service, node, nodes),
        nodes=_nodes(findings, service, found.get(("nodes",)), nodes),
        require=_labels(found, "require"),
        prefer=_labels(found, "prefer"),
        tolerations=words(found[("tolerations",)].node) if ("tolerations",) in found else (),
        affinity=_services(findings, service, found, "affinity", names, teams),
        anti_affinity=_services(findings, service, found, "anti_affinity", names, teams),
        spread=word(spread.node) if spread else "",
        spread_soft=soft is not None and soft.node.value is True,
        place=first.node.here,
        places={key: leaf.node.here for key, leaf in places.items()},
        why=first.why,
    )


def _node(findings: Findings, service: Name, leaf: Leaf | None, nodes: Texts) -> str:
    if leaf is None or leaf.node.value is None:
        return ""
    name = word(leaf.node)
    if name not in nodes:
        _unknown(findings, str(service), leaf.node, name, nodes)
        return ""
    return name


def _unknown(findings: Findings, subject: str, node: Node, name: str, nodes: Texts) -> None:
    near = difflib.get_close_matches(name, nodes.all, 2, _LIKE)
    write = near[0] if len(near) == 1 else ""  # of several that are as near, any would be a guess
    message = f"'{name}' is not among nodes"
    findings.append(error("nodes/unknown", node.place, subject, message, _choices(nodes), write=write))


def _choices(nodes: Texts) -> str:
    return f"use one of: {', '.join(nodes.all[:_FEW])}" if nodes.all else "name it under nodes first"


def _nodes(findings: Findings, service: Name, leaf: Leaf | None, nodes: Texts) -> tuple[str, ...]:
    if leaf is None or leaf.node.value is None:
        return ()
    return node_names(findings, str(service), leaf.node, nodes)


def node_names(findings: Findings, subject: str, node: Node, nodes: Texts) -> tuple[str, ...]:
    """Return the nodes that a list of names, ranges and patterns stands for, sorted; what matches none is a finding."""
    items = node.value if node.is_list else (node,)
    found = [_standing_for(findings, subject, item, nodes) for item in items]
    return found[0] if len(found) == 1 else tuple(sorted({name for names in found for name in names}))


def _standing_for(findings: Findings, subject: str, item: Node, nodes: Texts) -> tuple[str, ...]:
    try:
        found, missing = nodes.standing_for(item.string)
    except ValueError as fault:
        remedy = "write a shorter range, the lowest first, such as n[1:8]"
        findings.say("nodes/range", item, subject, str(fault), remedy)
        return ()
    for name in missing[:_FEW]:
        _unknown(findings, subject, item, name, nodes)
    if more := missing[_FEW:]:
        message = f"'{more[0]}' is not among nodes, and neither are {len(more) - 1} others of '{item.string}'"
        findings.say("nodes/unknown", item, subject, message, _choices(nodes))
    return found


def _labels(found: Found, key: str) -> dict[str, tuple[str, ...]]:
    return {path[1]: words(leaf.node) for path, leaf in sorted(found.items()) if path[:1] == (key,) and len(path) > 1}


def _services(
    findings: Findings, service: Name, found: Found, key: str, names: Names, teams: Teams
) -> dict[str, tuple[Name, ...]]:
    domains = {}
    for path, leaf in sorted(found.items()):
        if path[:1] != (key,) or len(path) != 2:  # noqa: PLR2004 - key and domain
            continue
        chosen: set[Name] = set()
        for item in leaf.node if leaf.node.is_list else (leaf.node,):
            kind = item.string.partition("/")[0]
            some, missing = select(
                item,
                names,
                teams.tiers if kind == "tier" else None,
                but=service,
                pools=teams.pools if kind == "pool" else None,
            )
            if missing:
                findings.append(missing)
            chosen.update(some)
        domains[path[1]] = tuple(sorted(chosen))
    return domains
