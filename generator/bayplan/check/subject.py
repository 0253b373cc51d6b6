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
    from collections.abc import Iterable

    from bayplan.model.fleet import Fleet
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

    def without(self, key: str) -> Claim:
        """Return the claim without what it says about one thing."""
        return Claim(self.node.with_value({name: node for name, node in self.node.items() if name != key}), self.at)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a claim speaks of: nodes (and so their reserve), or services."""

    words: str
    nodes: tuple[str, ...] = ()
    services: tuple[Service, ...] = ()
    card: str = ""


def subject_of(claim: Claim, moment: Moment, policy: Fleet) -> Subject | Finding:
    """Return whom a claim speaks of at a moment, or the finding that nobody is meant.

    Args:
        claim: the claim.
        moment: when it is asked.
        policy: the fleet that says who belongs to which tier and pool; what runs today knows of neither.
    """
    text = claim.of
    everyone = moment.fleet.active()
    kind, _, rest = text.partition("/")
    if text == "fleet":
        return Subject(text, tuple(moment.fleet.nodes), everyone)
    if text == "services":
        return Subject(text, services=everyone)
    if kind in ("node", "gpu"):
        return _machine(claim, moment, kind, rest)
    if kind in ("tier", "pool"):
        known = policy.tiers if kind == "tier" else policy.pools
        if rest not in known:
            return _nobody(claim, f"there is no {kind} '{rest}'", known)
        members = [one.name for one in policy.services.values() if getattr(one, kind) == rest]
        return Subject(text, services=named(everyone, members))
    return _services(claim, moment, everyone)


def _machine(claim: Claim, moment: Moment, kind: str, rest: str) -> Subject | Finding:
    name, _, card = rest.partition("/")
    if name not in moment.fleet.nodes:
        return _nobody(claim, f"there is no node '{name}'", moment.fleet.nodes)
    cards = [str(one.index) for one in moment.fleet.nodes[name].gpus]
    if card and card not in cards:
        return _nobody(claim, f"'{name}' has no card '{card}'", cards)
    return Subject(claim.of, (name,), moment.services([name]), card if kind == "gpu" else "")


def _nobody(claim: Claim, message: str, known: Iterable[str]) -> Finding:
    remedy = f"use one of: {', '.join(known) or 'there is none'}"
    return error("claims/who", claim.node.place, claim.of, message, remedy)


def _services(claim: Claim, moment: Moment, everyone: tuple[Service, ...]) -> Subject | Finding:
    written = claim.node.get("of") or claim.node
    bare = Node(claim.of.removeprefix("service/"), written.place, written.key)
    names, missing = select(bare, moment.fleet.services)
    return missing or Subject(claim.of, services=named(everyone, names))
