"""What the policy says about each service, and how strongly: `defaults` … `services` … `environments`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayplan.policy.forms import canonical_service
from bayplan.policy.groups import Groups, ambiguous, nothing
from bayplan.policy.layers import Leaves, Path, Stack, leaves, same_strength, stack
from bayplan.policy.patterns import Names, is_pattern
from bayplan.source import Node

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.model.names import Name
    from bayplan.policy.values import Findings

COMPOSE = "compose"
DEFAULTS = "defaults"


@dataclass(frozen=True, slots=True)
class Said:
    """What one key of a map of names says: its label for findings, its value, and the leaves of that."""

    label: str
    node: Node
    leaves: Leaves

    @classmethod
    def of(cls, label: str, node: Node) -> Said:
        """Return what a value says."""
        return cls(label, node, leaves(label, node))


@dataclass(frozen=True, slots=True)
class Section:
    """A map of names, such as `services:`, with its keys resolved: patterns and exact names apart."""

    patterns: Mapping[Name, tuple[Said, ...]]
    exact: Mapping[Name, Said]

    def about(self, name: Name) -> tuple[Said, ...]:
        """Return what is said about a name: by patterns, then by its own name."""
        own = self.exact.get(name)
        return (*self.patterns.get(name, ()), *((own,) if own else ()))


def resolve(findings: Findings, section: Node | None, names: Names, kind: str = "service") -> Section:
    """Resolve the keys of a map of names against the things there are.

    A bare name that several projects have, and a key that matches nothing, are findings.
    """
    patterns: dict[Name, list[Said]] = {}
    exact: dict[Name, Said] = {}
    for key, node in sorted(section.items()) if section else ():
        found = names.matching(key)
        label = Node(key, node.here, node.key)
        said = Said.of(f"{kind}s.{key}", canonical_service(node) if kind == "service" else node)
        if not found:
            findings.append(nothing(label, names, kind))
        elif is_pattern(key):
            for name in found:
                patterns.setdefault(name, []).append(said)
        elif len(found) > 1:
            findings.append(ambiguous(label, found, kind))
        elif found[0] in exact:
            findings.say("policy/defined-twice", node, said.label, f"is {found[0]}, which stands here twice")
        else:
            exact[found[0]] = said
    return Section({name: tuple(found) for name, found in patterns.items()}, exact)


class Gaps:
    """What fills the gaps of services: `defaults`, and those of their tier and their pool."""

    def __init__(self, document: Node, groups: Groups) -> None:
        given = {DEFAULTS: document.get(DEFAULTS), **groups.defaults}
        self._given = {
            key: leaves(key.replace("/", " ", 1), canonical_service(node))
            for key, node in given.items()
            if node is not None and node.is_map
        }
        self._filled: dict[tuple[str, str], Stack] = {}

    def fill(self, tier: str, pool: str) -> Stack:
        """Return what fills a service's gaps: `defaults`, then its tier's, then its pool's."""
        if (tier, pool) not in self._filled:
            layers = (DEFAULTS, f"tier/{tier}", f"pool/{pool}")
            self._filled[tier, pool] = stack(self._given.get(layer, {}) for layer in layers)
        return self._filled[tier, pool]


def overrides(findings: Findings, name: Name, sections: tuple[Section, ...]) -> tuple[Stack, tuple[Node, ...]]:
    """Return what overrides a service, and the `compose:` maps laid over its Compose file, weakest first.

    Args:
        findings: takes the contradictions between patterns.
        name: the service.
        sections: `services:` of the policy, then that of the environment.
    """
    layers: list[Leaves] = []
    compose: list[Node] = []
    for section in sections:
        said = section.about(name)
        if said:
            layers.extend(_without_compose(found) for found in strengths(findings, name, section))
            compose.extend(found for one in said if (found := one.node.get(COMPOSE)) is not None)
    return stack(layers), tuple(compose)


def strengths(findings: Findings, name: Name, section: Section) -> tuple[Leaves, Leaves]:
    """Return what the patterns of a section say about a name, and what its exact name says over that."""
    exact = section.exact[name].leaves if name in section.exact else {}
    if name not in section.patterns:
        return {}, exact
    found = [said.leaves for said in section.patterns[name]]
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


def defined_here(section: Node | None, names: Names, fleet: str) -> dict[str, Node]:
    """Return the services that the policy itself defines: exact keys with a `compose:` that no source has."""
    own = {}
    for key, node in section.items() if section else ():
        if is_pattern(key) or names.matching(key) or "/" in key.removeprefix(f"{fleet}/"):
            continue
        compose = node.get(COMPOSE)
        if compose is not None and compose.is_map and (compose.get("image") or compose.get("build")):
            own[key.removeprefix(f"{fleet}/")] = node
    return own
