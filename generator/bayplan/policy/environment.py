"""Environments: which nodes they have, what they multiply, and what they say differently."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bayplan.errors import UsageError
from bayplan.model.quantity import CPUS, GPU_MEMORY, MEMORY
from bayplan.policy.quantities import Factors
from bayplan.policy.rules import node_names
from bayplan.policy.values import Findings, factor

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction

    from bayplan.policy.patterns import Texts
    from bayplan.source import Node

DEFAULT = "default"
_FACTORS = (CPUS, MEMORY, GPU_MEMORY, "replicas")


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment of a policy: the document with its overlay, its nodes and its factors.

    `ranged` says whether a factor is a range, so that there is another end to look at.
    """

    name: str
    document: Node
    services: Node | None = None
    nodes: tuple[str, ...] | None = None
    factors: Factors = field(default_factory=Factors)
    ranged: bool = False


def names_of(document: Node) -> tuple[str, ...]:
    """Return the environments of a policy, by name; one without any has `default`."""
    section = document.get("environments")
    return tuple(sorted(name for name, _ in section.items())) if section is not None and section.items() else (DEFAULT,)


def choose(document: Node, asked: str | None) -> str:
    """Return the environment to work on.

    Raises:
        UsageError: if there are several and none was asked for, or the one asked for does not exist.
    """
    known = names_of(document)
    if asked is None:
        if len(known) == 1:
            return known[0]
        if DEFAULT in known:
            return DEFAULT
        msg = f"the policy has {len(known)} environments; choose one with --env: {', '.join(known)}"
        raise UsageError(msg)
    if asked not in known:
        msg = f"there is no environment '{asked}'; the policy has: {', '.join(known)}"
        raise UsageError(msg)
    return asked


def environment(document: Node, name: str, nodes: Texts, *, lower: bool = False) -> tuple[Environment, Findings]:
    """Return an environment, its overlay laid over the document (services are left to the layers).

    Args:
        document: the policy.
        name: the environment.
        nodes: all nodes of the policy.
        lower: whether ranges count at their lower end; what is planned is the upper one.
    """
    findings = Findings()
    section = document.get("environments")
    node = section.get(name) if section is not None else None
    if node is None:
        return Environment(name, document), findings
    merged = dict(document.value)
    for key in ("defaults", "pools", "alerts", "rollout"):
        overlay = node.get(key)
        if overlay is not None:
            base = merged.get(key)
            merged[key] = overlay if base is None else overlaid(base, overlay)
    own = node.get("nodes")
    return (
        Environment(
            name=name,
            document=document.with_value(merged),
            services=node.get("services"),
            nodes=node_names(findings, f"environments.{name}", own, nodes) if own is not None else None,
            factors=Factors(name, _factors(node.get("multiply"), lower=lower)),
            ranged=any(value.is_list for _, value in (node.get("multiply") or node.with_value({})).items()),
        ),
        findings,
    )


def overlaid(base: Node, overlay: Node) -> Node:
    """Return `overlay` laid over `base`: maps merge, lists and scalars replace, null takes back."""
    if not (base.is_map and overlay.is_map):
        return overlay
    merged = dict(base.value)
    for key, value in overlay.items():
        if value.value is None:
            merged.pop(key, None)
        else:
            merged[key] = overlaid(merged[key], value) if key in merged else value
    return base.with_value(merged)


def _factors(node: Node | None, *, lower: bool) -> Mapping[str, Fraction]:
    """Return resource → factor; the schema has named what is none."""
    factors: dict[str, Fraction] = {}
    for key, value in node.items() if node is not None else ():
        if key not in _FACTORS:
            continue
        read = [found for one in (value if value.is_list else (value,)) if (found := factor(one)) is not None]
        if read:
            factors[key] = min(read) if lower else max(read)
    return factors
