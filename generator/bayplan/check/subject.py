"""Whom a claim speaks of: the fleet, a node, a card, services by name, tier or pool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayplan.check.moment import Moment, named
from bayplan.finding import Finding, error
from bayplan.policy.groups import select
from bayplan.policy.values import word
from bayplan.source import Node

if TYPE_CHECKING:
    from bayplan.model.service import Service


@dataclass(frozen=True, slots=True)
class Claim:
    """One line of `expect:`, and the moment it speaks of."""

    node: Node
    at: str

    @property
    def of(self) -> str:
        """Return its subject as written."""
        return word(self.node.get("of"), "fleet")


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a claim speaks of: nodes (and so their reserve), or services."""

    words: str
    nodes: tuple[str, ...] = ()
    services: tuple[Service, ...] = ()
    card: str = ""


def subject_of(claim: Claim, moment: Moment) -> Subject | Finding:
    """Return whom a claim speaks of at a moment, or the finding that nobody is meant."""
    text = claim.of
    everyone = moment.fleet.active()
    kind, _, rest = text.partition("/")
    if text == "fleet":
        return Subject(text, tuple(moment.fleet.nodes), everyone)
    if text == "services":
        return Subject(text, services=everyone)
    if kind in ("node", "gpu"):
        name, _, card = rest.partition("/")
        if name not in moment.fleet.nodes:
            known = ", ".join(moment.fleet.nodes)
            return error("claims/who", claim.node.place, text, f"there is no node '{name}'", f"use one of: {known}")
        return Subject(text, (name,), moment.services([name]), card if kind == "gpu" else "")
    groups = {
        "tier": [service for service in everyone if service.tier == rest],
        "pool": [service for service in everyone if service.pool == rest],
    }
    if kind in groups:
        return Subject(text, services=tuple(groups[kind]))
    return _services(claim, moment, everyone)


def _services(claim: Claim, moment: Moment, everyone: tuple[Service, ...]) -> Subject | Finding:
    written = claim.node.get("of") or claim.node
    bare = Node(claim.of.removeprefix("service/"), written.place, written.key)
    names, missing = select(bare, moment.fleet.services)
    return missing or Subject(claim.of, services=named(everyone, names))
