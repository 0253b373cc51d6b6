"""Ways out as they must be written in an environment: under its name, and before its factors."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from bayplan.check.paste import flow as quoted
from bayplan.model import units
from bayplan.model.quantity import CPUS, GPU_MEMORY, MEMORY
from bayplan.place.conflict.amend import flow, nest, show
from bayplan.policy.patterns import expand_range
from bayplan.source import plain, read_text, walk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.finding import Finding
    from bayplan.place import Conflict
    from bayplan.place.conflict.remedy import Remedy
    from bayplan.source import Node

_SECTIONS = frozenset({"services", "pools", "defaults"})
_HALVES = frozenset({"limits", "requests"})


def in_environment(conflict: Conflict, name: str, factors: Mapping[str, Fraction]) -> Conflict:
    """Return a conflict whose remedies stand where the environment reads them.

    What an environment says beats what the policy says, and its factors come last: an amount that is to end at 4 GiB
    under a factor of 2 is written as 2 GiB.
    """
    return replace(conflict, remedies=tuple(_moved(one, name, factors) for one in conflict.remedies))


def pasted(finding: Finding, name: str, factors: Mapping[str, Fraction]) -> Finding:
    """Return a finding whose fragment stands where the environment reads it; one that names another section is left."""
    section, _, entries = finding.paste.partition(": ")
    if section not in _SECTIONS:
        return finding
    tree, _ = read_text(finding.paste, "paste")
    multiplied = tree is not None and not any(node.tag for _, node in walk(tree))
    if factors and tree is not None and multiplied:
        value = plain(tree)[section]
        fewer = _factor(value, (section,), factors)
        if fewer is not None:
            return replace(finding, paste=show(("environments", name), _with_factor(value, (section,), factors, fewer)))
        entries = flow(_before(value, (section,), factors))
    return replace(finding, paste=f"environments: {{{name}: {{{section}: {entries}}}}}")


_NAMED = frozenset({"services", "volumes", "networks"})
"""Sections whose keys are `project/name`, or the name alone where only one project has it."""
_NODE = re.compile(r"(?<=^nodes: \{)[^:{}\"]+(?=: )")
_KEY = re.compile(r"(?<=[{ ])([\w.-]+/)([\w.-]+)(?=: )")


def keyed(finding: Finding, document: Node, environment: str) -> Finding:
    """Return a finding whose fragment names things by the keys that the policy has for them.

    A policy that says `web` may not say `shop/web` as well, and of a range of nodes one speaks by the range.
    """
    section = finding.paste.partition(":")[0]
    if section == "nodes":
        ranges = {name: key for key, _ in _section(document, "nodes") for name in expand_range(key)}
        named = _NODE.sub(lambda found: quoted(ranges.get(found[0], found[0])), finding.paste, count=1)
        return replace(finding, paste=named)
    section = "services" if section == "environments" else section
    said = {key for at in ((), ("environments", environment)) for key, _ in _section(document, *at, section)}

    def bare(found: re.Match[str]) -> str:
        return found[2] if found[2] in said and found[0] not in said else found[0]

    return replace(finding, paste=_KEY.sub(bare, finding.paste)) if section in _NAMED else finding


def _section(document: Node, *path: str) -> tuple[tuple[str, Node], ...]:
    node: Node | None = document
    for key in path:
        node = node.get(key) if node is not None else None
    return node.items() if node is not None else ()


def _moved(remedy: Remedy, name: str, factors: Mapping[str, Fraction]) -> Remedy:
    if remedy.path[0] not in _SECTIONS:
        return remedy
    fewer = _factor(remedy.value, remedy.path, factors)
    if fewer is None:
        path, value = ("environments", name, *remedy.path), _before(remedy.value, remedy.path, factors)
    else:
        path, value = ("environments", name), _with_factor(remedy.value, remedy.path, factors, fewer)
    return replace(remedy, text=show(path, value), path=path, value=value)


def _factor(value: Any, path: tuple[str, ...], factors: Mapping[str, Fraction]) -> int | None:
    """Return the factor of copies under which a value comes out, if the one that is said always gives more."""
    if isinstance(value, dict):
        found = (_factor(inner, (*path, key), factors) for key, inner in value.items())
        return min((one for one in found if one is not None), default=None)
    copies = factors.get("replicas")
    return value if copies is not None and _counts(value, path) and value < copies else None


def _with_factor(value: Any, path: tuple[str, ...], factors: Mapping[str, Fraction], fewer: int) -> dict[str, Any]:
    """Return what an environment says so that a value comes out under a lower factor of copies."""
    said = _before(value, path, {**factors, "replicas": Fraction(fewer)})
    return {"multiply": {"replicas": fewer}, **nest(path, said)}


def _counts(value: Any, path: tuple[str, ...]) -> bool:
    """Whether a value is a number of copies, which an environment multiplies."""
    return isinstance(value, int) and (path[-1] == "replicas" or path[-2:-1] == ("scale",))


def _before(value: Any, path: tuple[str, ...], factors: Mapping[str, Fraction]) -> Any:
    if isinstance(value, dict):
        return {key: _before(inner, (*path, key), factors) for key, inner in value.items()}
    resource = path[-1]
    copies = factors.get("replicas")
    if copies is not None and _counts(value, path):
        return max(1, value * copies.denominator // copies.numerator)
    factor = factors.get(resource)
    if factor is None or len(path) < 2 or path[-2] not in _HALVES:  # noqa: PLR2004 - a half and a resource
        return value
    if resource in (MEMORY, GPU_MEMORY):
        mib = units.policy_memory(value) * factor.denominator // (factor.numerator * units.MIB)
        return units.policy_bytes(mib * units.MIB)
    if resource == CPUS:
        # Down to 10m: a limit has no smaller step.
        return f"{units.cpus(value) * factor.denominator // (factor.numerator * 10) * 10}m"
    return value
