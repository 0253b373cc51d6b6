"""Hard rules as values: the solver turns each into constraints, `broken` checks a finished placement against it.

A rule holds while none of its policy lines is dropped. Capacity and cards are no rules of this kind: they are sums
over all services of a node, see `bayplan.place.bill` and `bayplan.place.cardbook`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from bayplan.model.names import Name
from bayplan.model.units import show

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.place.constraints.lines import PolicyLine

Counts: TypeAlias = Mapping[Name, Mapping[str, int]]
"""Service → node → number of copies there; nodes without a copy may be left out."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that a placement breaks: its id, the lines it belongs to, one sentence and the sum behind it."""

    rule: str
    lines: tuple[PolicyLine, ...]
    message: str
    arithmetic: str = ""


def at(counts: Counts, service: Name, node: str) -> int:
    """Return the number of copies of a service on a node."""
    return counts.get(service, {}).get(node, 0)


def nodes_of(counts: Counts, service: Name) -> tuple[str, ...]:
    """Return the nodes that hold a copy of a service, by name."""
    return tuple(sorted(node for node, number in counts.get(service, {}).items() if number))


@dataclass(frozen=True, slots=True)
class Refusal:
    """A service never stands on a node."""

    service: Name
    node: str
    lines: tuple[PolicyLine, ...]
    why: str

    def broken(self, counts: Counts) -> Iterator[Broken]:
        """Yield what a placement breaks."""
        if at(counts, self.service, self.node):
            rule = RULES.get(self.lines[0].kind, "placement/refused")
            yield Broken(rule, self.lines, f"{self.service} stands on {self.node}: {self.why}")


@dataclass(frozen=True, slots=True)
class Stay:
    """At least so many copies of a service stay on a node."""

    service: Name
    node: str
    copies: int
    lines: tuple[PolicyLine, ...]
    why: str

    def broken(self, counts: Counts) -> Iterator[Broken]:
        """Yield what a placement breaks."""
        stays = at(counts, self.service, self.node)
        if stays < self.copies:
            rule = RULES.get(self.lines[0].kind, "placement/moved")
            message = f"{self.service} leaves {self.node}: {self.why}"
            yield Broken(rule, self.lines, message, f"{stays} < {self.copies} copies on {self.node}")


@dataclass(frozen=True, slots=True)
class Together:
    """All copies of some services stand on one node."""

    users: tuple[Name, ...]
    lines: tuple[PolicyLine, ...]
    why: str

    def broken(self, counts: Counts) -> Iterator[Broken]:
        """Yield what a placement breaks."""
        nodes = sorted({node for user in self.users for node in nodes_of(counts, user)})
        if len(nodes) > 1:
            here = [f"{sum(at(counts, user, node) for user in self.users)} on {node}" for node in nodes]
            yield Broken("volume/split", self.lines, f"{self.why} is split: {', '.join(here)}")


@dataclass(frozen=True, slots=True)
class Near:
    """Each node with a copy of `service` has a copy of `to`."""

    service: Name
    to: Name
    lines: tuple[PolicyLine, ...]
    why: str

    def broken(self, counts: Counts) -> Iterator[Broken]:
        """Yield what a placement breaks."""
        alone = [node for node in nodes_of(counts, self.service) if not at(counts, self.to, node)]
        if alone:
            rule = RULES.get(self.lines[0].kind, "placement/apart")
            elsewhere = ", ".join(nodes_of(counts, self.to)) or "no node"
            message = f"{self.service} on {', '.join(alone)} needs {self.to}, which is on {elsewhere}: {self.why}"
            yield Broken(rule, self.lines, message)


@dataclass(frozen=True, slots=True)
class Apart:
    """No node has a copy of both; where both are one service, no node has two copies."""

    one: Name
    other: Name
    lines: tuple[PolicyLine, ...]
    why: str

    def broken(self, counts: Counts) -> Iterator[Broken]:
        """Yield what a placement breaks."""
        for node in nodes_of(counts, self.one):
            if at(counts, self.other, node) > (self.one == self.other):
                rule = RULES.get(self.lines[0].kind, "placement/together")
                both = f"two copies of {self.one}" if self.one == self.other else f"{self.one} and {self.other}"
                yield Broken(rule, self.lines, f"{both} on {node}: {self.why}")


@dataclass(frozen=True, slots=True)
class CardPair:
    """Two services never share a card (`apart`), or the first only stands on cards of the second."""

    one: Name
    other: Name
    apart: bool
    lines: tuple[PolicyLine, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Spread:
    """The copies of a service are spread over domains, each with at least `least` and at most `most`."""

    service: Name
    label: str
    domains: Mapping[str, tuple[str, ...]]
    least: int
    most: int
    lines: tuple[PolicyLine, ...]

    def broken(self, counts: Counts) -> Iterator[Broken]:
        """Yield what a placement breaks."""
        sums = {domain: sum(at(counts, self.service, node) for node in nodes) for domain, nodes in self.domains.items()}
        if any(not self.least <= number <= self.most for number in sums.values()):
            shown = ", ".join(f"{domain} {number}" for domain, number in sorted(sums.items()))
            message = f"{self.service} is not spread over {self.label}: {shown}"
            yield Broken("placement/spread", self.lines, message, f"each {self.least} to {self.most}")


@dataclass(frozen=True, slots=True)
class NodeQuota:
    """The members of a pool on one node ask for no more than its quota there."""

    pool: str
    resource: str
    quota: int
    members: tuple[tuple[Name, int], ...]
    nodes: tuple[str, ...]
    lines: tuple[PolicyLine, ...]

    def broken(self, counts: Counts) -> Iterator[Broken]:
        """Yield what a placement breaks."""
        for node in self.nodes:
            asked = sum(amount * at(counts, name, node) for name, amount in self.members)
            if asked > self.quota:
                shown = f"{show(self.resource, asked)} > {show(self.resource, self.quota)}"
                yield Broken("pool/quota", self.lines, f"pool {self.pool} is over its quota on {node}", shown)


Rule: TypeAlias = Refusal | Stay | Together | Near | Apart | Spread | NodeQuota

RULES = {
    "fixed": "placement/fixed",
    "nodes": "placement/nodes",
    "cores": "pinning/unknown-set",
    "require": "placement/require",
    "spread": "placement/spread",
    "affinity": "placement/affinity",
    "apart": "placement/anti-affinity",
    "taint": "placement/taint",
    "arch": "arch/unfit",
    "gpus": "gpu/unfit",
    "demand": "gpu/unfit",
    "bind": "bind/held",
    "static": "network/static-address",
    "never": "volume/held",
    "volume": "volume/split",
    "edge": "network/edge-unreachable",
    "group": "network/mode-group",
    "port": "network/port-taken",
    "name": "replicas/one-identity",
    "address": "replicas/one-identity",
}
"""Kind of policy line → id of the finding that says it is broken."""
