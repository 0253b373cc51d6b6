"""Which tier and pool a service belongs to, and who belongs to each."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from bayplan.finding import error
from bayplan.policy.overrides import Section, overrides
from bayplan.policy.values import Findings, word

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.finding import Place
    from bayplan.model.names import Name
    from bayplan.policy.groups import Groups
    from bayplan.policy.layers import Leaf, Leaves
    from bayplan.policy.patterns import Names


class Teams:
    """Who belongs to each tier and pool in the end, by what groups list and what services say; found when asked for."""

    def __init__(self, groups: Groups, sections: tuple[Section, ...], names: Names) -> None:
        self._groups, self._sections, self._names = groups, sections, names

    @cached_property
    def tiers(self) -> Mapping[str, tuple[Name, ...]]:
        """Return tier → its services, by name."""
        return self._by(0)

    @cached_property
    def pools(self) -> Mapping[str, tuple[Name, ...]]:
        """Return pool → its services, by name."""
        return self._by(1)

    def _by(self, which: int) -> Mapping[str, tuple[Name, ...]]:
        found: dict[str, list[Name]] = {}
        for name in sorted(self._names.all):
            over, _ = overrides(Findings(), name, self._sections)  # what is wrong is told where services are built
            found.setdefault(groups_of(Findings(), self._groups, name, over)[which], []).append(name)
        return {key: tuple(some) for key, some in found.items()}


def groups_of(findings: Findings, groups: Groups, name: Name, over: Leaves) -> tuple[str, str]:
    """Return the tier and the pool of a service, by what lists it and by its own word; the pool may be empty."""
    tier = _one_group(findings, "tiers", groups.tiers, name, groups.tier_of.get(name), over.get(("tier",)))
    listed = groups.pool_of.get(name)
    pool = _one_group(findings, "pools", groups.pools, name, listed, over.get(("pool",)))
    return tier or "standard", pool or groups.pool_of_tier.get(tier or "standard", "")


def _one_group(
    findings: Findings,
    section: str,
    known: Mapping[str, object],
    name: Name,
    listed: tuple[str, Place] | None,
    said: Leaf | None,
) -> str:
    if said is None or said.node.value is None:
        return listed[0] if listed else ""
    group = word(said.node)
    if group not in known:
        findings.say(f"{section}/unknown", said.node, str(name), f"'{group}' is not among {section}", _choices(known))
        return listed[0] if listed else ""
    if listed and listed[0] != group:
        message = f"says {group}, but {section}.{listed[0]} lists it (at {listed[1]})"
        findings.append(error(f"{section}/two", said.node.place, str(name), message, "keep one", also=(listed[1],)))
    return group


def _choices(known: Mapping[str, object]) -> str:
    return f"use one of: {', '.join(sorted(known))}"
