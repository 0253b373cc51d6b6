"""What the policy says about each service, and how strongly: `defaults` … `services` … `environments`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayplan.policy.forms import canonical_service
from bayplan.policy.groups import Groups, ambiguous, nothing
from bayplan.policy.layers import Leaves, Path, leaves, same_strength, stack
from bayplan.policy.patterns import is_pattern, matching
from bayplan.source import Node

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.model.names import Name
    from bayplan.policy.values import Findings

COMPOSE = "compose"


@dataclass(frozen=True, slots=True)
class Section:
    """A map of names, such as `services:`, with its keys resolved: patterns and exact names apart."""

    patterns: Mapping[Name, tuple[tuple[str, Node], ...]]
    exact: Mapping[Name, tuple[str, Node]]


def resolve(findings: Findings, section: Node | None, names: tuple[Name, ...], kind: str = "service") -> Section:
    """Resolve the keys of a map of names against the things there are.

    A bare name that several projects have, and a key that matches nothing, are findings.
    """
    patterns: dict[Name, list[tuple[str, Node]]] = {}
    exact: dict[Name, tuple[str, Node]] = {}
    for key, node in sorted(section.items()) if section else ():
        found = matching(key, names)
        label = Node(key, node.here, node.key)
        said = (f"{kind}s.{key}", canonical_service(node) if kind == "service" else node)
        if not found:
            findings.append(nothing(label, names, kind))
        elif is_pattern(key):
            for name in found:
                patterns.setdefault(name, []).append(said)
        elif len(found) > 1:
            findings.append(ambiguous(label, found, kind))
        elif found[0] in exact:
            findings.say("policy/defined-twice", node, said[0], f"is {found[0]}, which stands here twice")
        else:
            exact[found[0]] = said
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
        layers.extend(_without_compose(found) for found in strengths(findings, name, section))
        speakers = (*section.patterns.get(name, ()), *([section.exact[name]] if name in section.exact else ()))
        compose.extend(found for _, node in speakers if (found := node.get(COMPOSE)) is not None)
    return stack(layers), tuple(compose)


def strengths(findings: Findings, name: Name, section: Section) -> tuple[Leaves, Leaves]:
    """Return what the patterns of a section say about a name, and what its exact name says over that."""
    exact = leaves(*section.exact[name]) if name in section.exact else {}
    found = [leaves(key, node) for key, node in section.patterns.get(name, ())]
    joined, clashes = same_strength(str(name), found, _settled(exact))
    findings.extend(clashes)
    return joined, exact


def _settled(exact: Leaves) -> tuple[Path, ...]:
    """Return what the exact name says, so that its patterns cannot contradict each other about it.

    Lists under `compose:` are left out: Compose appends them, so both patterns would still be heard.
    """
    return tuple(path for path, leaf in exact.items() if path[:1] != (COMPOSE,) or not leaf.node.is_list)


def _without_compose(found: Leaves) -> Leaves:
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
