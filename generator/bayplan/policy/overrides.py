"""What the policy says about each service, and how strongly: `defaults` … `services` … `environments`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayplan.policy.forms import canonical_service
from bayplan.policy.groups import Groups, ambiguous, nothing
from bayplan.policy.layers import Leaf, Leaves, Path, leaves, same_strength, stack
from bayplan.policy.patterns import is_pattern, matching
from bayplan.source import Node

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.model.names import Name
    from bayplan.policy.values import Findings

COMPOSE = "compose"


@dataclass(frozen=True, slots=True)
class Section:
    """A `services:` map with its keys resolved: patterns and exact names apart."""

    patterns: Mapping[Name, tuple[tuple[str, Node], ...]]
    exact: Mapping[Name, tuple[str, Node]]


def resolve(findings: Findings, section: Node | None, names: tuple[Name, ...]) -> Section:
    """Resolve the keys of a `services:` map against the services there are.

    A bare name that several projects have, and a key that matches nothing, are findings.
    """
    patterns: dict[Name, list[tuple[str, Node]]] = {}
    exact: dict[Name, tuple[str, Node]] = {}
    for key, node in sorted(section.items()) if section else ():
        found = matching(key, names)
        label = Node(key, node.here, node.key)
        if not found:
            findings.append(nothing(label, names))
        elif is_pattern(key):
            for name in found:
                patterns.setdefault(name, []).append((key, canonical_service(node)))
        elif len(found) > 1:
            findings.append(ambiguous(label, found))
        elif found[0] in exact:
            findings.say("policy/defined-twice", node, f"services.{key}", f"is {found[0]}, which stands here twice")
        else:
            exact[found[0]] = (key, canonical_service(node))
    return Section({name: tuple(found) for name, found in patterns.items()}, exact)


def fills(document: Node, groups: Groups, tier: str, pool: str) -> Leaves:
    """Return what fills a service's gaps: `defaults`, then its tier's, then its pool's."""
    layers = []
    for label, node in (
        ("defaults", document.get("defaults")),
        (f"tier {tier}", groups.defaults.get(f"tier/{tier}")),
        (f"pool {pool}", groups.defaults.get(f"pool/{pool}")),
    ):
        if node is not None and node.is_map:
            layers.append(leaves(label, canonical_service(node)))
    return stack(layers)


def overrides(findings: Findings, name: Name, sections: tuple[Section, ...]) -> tuple[Leaves, tuple[Node, ...]]:
    """Return what overrides a service, and the `compose:` maps laid over its Compose file, weakest first.

    Args:
        findings: takes the contradictions between patterns.
        name: the service.
        sections: `services:` of the policy, then that of the environment.
    """
    layers: list[Leaves] = []
    compose: list[Node] = []
    for section in sections:
        found = [leaves(f"services.{key}", node) for key, node in section.patterns.get(name, ())]
        joined, clashes = same_strength(str(name), found)
        findings.extend(clashes)
        layers.append(_without_compose(joined))
        compose.extend(_compose(node) for _, node in section.patterns.get(name, ()) if node.get(COMPOSE))
        if name in section.exact:
            key, node = section.exact[name]
            layers.append(_without_compose(leaves(f"services.{key}", node)))
            compose.extend([_compose(node)] if node.get(COMPOSE) else [])
    return stack(layers), tuple(compose)


def _compose(node: Node) -> Node:
    found = node.get(COMPOSE)
    return found if found is not None else Node({}, node.place)


def _without_compose(found: Leaves) -> dict[Path, Leaf]:
    return {path: leaf for path, leaf in found.items() if path[:1] != (COMPOSE,)}


def defined_here(section: Node | None, names: tuple[Name, ...], fleet: str) -> dict[str, Node]:
    """Return the services that the policy itself defines: exact keys with a `compose:` that no source has."""
    own = {}
    for key, node in section.items() if section else ():
        if is_pattern(key) or matching(key, names) or "/" in key.removeprefix(f"{fleet}/"):
            continue
        compose = node.get(COMPOSE)
        if compose is not None and compose.is_map and (compose.get("image") or compose.get("build")):
            own[key.removeprefix(f"{fleet}/")] = node
    return own
