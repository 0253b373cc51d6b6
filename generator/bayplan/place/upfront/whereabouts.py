"""Where the policy itself already says that services stand, and which groups cannot follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayplan.place.constraints.rules import Near, Together

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.model.fleet import Node
    from bayplan.model.names import Name
    from bayplan.place.constraints.problem import Problem

Tie = Near | Together


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What is known before anything is solved.

    Attributes:
        fixed: service → the node that the policy fixes it to.
        held: service → the one node that a hold keeps it on (unless it is fixed elsewhere).
        stays: service → the node it stands on today, if it stands on one only.
    """

    fixed: Mapping[Name, str]
    held: Mapping[Name, str]
    stays: Mapping[Name, str]

    def settled(self, service: Name) -> str:
        """Return the node that a service is bound to by the policy or a hold, or the empty string."""
        return self.fixed.get(service) or self.held.get(service, "")

    def presumed(self, service: Name) -> str:
        """Return the node that a service is bound to, or else where it stands today."""
        return self.settled(service) or self.stays.get(service, "")


def whereabouts(problem: Problem) -> Whereabouts:
    """Return where services are fixed, held and standing."""
    holding = {hold.service.name for hold in problem.holds if hold.line.key not in problem.dropped}
    nodes = {service.name: service.placement.only for service in problem.services}
    fixed = {name: node for name, node in nodes.items() if node in problem.fleet.nodes}
    stays = {name: next(iter(here)) for name, here in problem.standing.items() if len(here) == 1}
    held = {name: node for name, node in stays.items() if name in holding}
    return Whereabouts(fixed, held, stays)


def cut_ties(problem: Problem, where: Whereabouts) -> tuple[Tie, ...]:
    """Return the ties that a fixed placement cuts: its group stands elsewhere and cannot follow."""
    ties = [rule for rule in problem.active() if isinstance(rule, Near | Together)]
    cut = []
    for group in _groups(ties):
        members = {name for tie in group for name in members_of(tie)}
        settled = any(name in where.fixed for name in members) and _on_one_node(problem, group)
        if settled and not _can_follow(problem, where, members):
            cut += [tie for tie in group if _is_cut(tie, where)]
    return tuple(cut)


def members_of(tie: Tie) -> tuple[Name, ...]:
    """Return the services that a tie joins."""
    return tie.users if isinstance(tie, Together) else (tie.service, tie.to)


def _is_cut(tie: Tie, where: Whereabouts) -> bool:
    nodes = {node for name in members_of(tie) if (node := where.presumed(name))}
    return len(nodes) > 1 and any(name in where.fixed for name in members_of(tie))


def _groups(ties: list[Tie]) -> list[list[Tie]]:
    """Return the ties by connected group, in their own order."""
    parent: dict[Name, Name] = {}

    def root(name: Name) -> Name:
        while parent.setdefault(name, name) != name:
            name = parent[name]
        return name

    for tie in ties:
        first, *others = members_of(tie)
        for other in others:
            parent[root(other)] = root(first)
    found: dict[Name, list[Tie]] = {}
    for tie in ties:
        found.setdefault(root(members_of(tie)[0]), []).append(tie)
    return list(found.values())


def _on_one_node(problem: Problem, group: list[Tie]) -> bool:
    """Whether a group can only stand on one node: nobody is near to a service that could be on several."""
    hosts = [tie.to for tie in group if isinstance(tie, Near)]
    return all(problem.fleet.services[name].replicas.count == 1 for name in hosts)


def _can_follow(problem: Problem, where: Whereabouts, members: set[Name]) -> bool:
    """Whether a group could stand on one node: nobody is bound elsewhere or refused there, and the sum fits."""
    bound = {node for name in members if (node := where.settled(name))}
    if len(bound) != 1:
        return False
    target = problem.fleet.nodes[bound.pop()]
    refused = problem.refused()
    return not any((name, target.name) in refused for name in members) and _fits(problem, target, members)


def _fits(problem: Problem, node: Node, members: set[Name]) -> bool:
    copies = {service.name: service.replicas.count for service in problem.services if service.name in members}
    for resource in problem.resources:
        room = problem.room(node, resource)
        charged = problem.bill(node, resource).charged(lambda name: copies.get(name, 0))
        if room is not None and charged > room:
            return False
    return True
