"""Ports that two services must publish on one node, because both are bound to it."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from bayplan.finding import Finding, error
from bayplan.place.constraints.rules import Apart, Near, Together
from bayplan.place.constraints.ties import published
from bayplan.place.upfront.whereabouts import Whereabouts, members_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.model.names import Name
    from bayplan.model.service import Port, Service
    from bayplan.place.constraints.lines import Key
    from bayplan.place.constraints.problem import Problem

Cause = tuple[Finding, frozenset["Key"]]
_LAST_PORT = 65535


def taken(problem: Problem, where: Whereabouts) -> Iterator[Cause]:
    """Yield each pair of services that must share a node and publish one port there."""
    tied = [set(members_of(rule)) for rule in problem.active() if isinstance(rule, Near | Together)]
    refused = problem.refused()
    given: dict[str, set[int]] = {}
    for rule in problem.active():
        if isinstance(rule, Apart) and rule.lines[0].kind == "port" and rule.one != rule.other:
            node = _shared(problem, where, rule, refused, tied)
            if node:
                yield _cause(problem, rule, node, given.setdefault(node, set()))


def _shared(
    problem: Problem, where: Whereabouts, rule: Apart, refused: frozenset[tuple[Name, str]], tied: list[set[Name]]
) -> str:
    """Return the node that both are bound to, or the empty string."""
    one, other = (_only_node(problem, where, name, refused) for name in (rule.one, rule.other))
    if one and one == other:
        return one
    together = any({rule.one, rule.other} <= members for members in tied)
    return (one or other or where.presumed(rule.one) or "their node") if together else ""


def _only_node(problem: Problem, where: Whereabouts, name: Name, refused: frozenset[tuple[Name, str]]) -> str:
    left = [node.name for node in problem.nodes if (name, node.name) not in refused]
    return where.settled(name) or (left[0] if len(left) == 1 else "")


def _cause(problem: Problem, rule: Apart, node: str, given: set[int]) -> Cause:
    """Return the finding: the less important service, or else the later name, gives way."""
    fleet = problem.fleet
    ranked = sorted(
        (fleet.services[rule.one], fleet.services[rule.other]),
        key=lambda one: (-fleet.tier_of(one).priority, one.name),
    )
    stays, yields = ranked
    kept, moved = _clashing(stays, yields)
    free = free_port(problem, moved.published or 0, given)
    given.add(free)
    before = _before(yields, moved)
    finding = error(
        "network/port-taken",
        moved.place,
        str(yields.name),
        f"{yields.name} and {stays.name} both publish {moved.published}/{moved.protocol} on {node}",
        paste=f"services: {{{yields.name}: {{remap_ports: {{{before}: {free}}}}}}}",
        arithmetic=f"{stays.name} {kept}, {yields.name} {moved}",
        also=(kept.place,),
    )
    line = next(line for line in rule.lines if line.subject == str(yields.name))
    return finding, frozenset({line.key})


def _clashing(stays: Service, yields: Service) -> tuple[Port, Port]:
    pairs = [(a, b) for a in published(stays) for b in published(yields) if a.clashes_with(b)]
    return min(pairs, key=lambda pair: (str(pair[1]), str(pair[0])))


def _before(service: Service, port: Port) -> int:
    """Return the number that the Compose file gives the port, which is what a remapping names."""
    back = {new: old for old, new in service.remap_ports.items()}
    number = port.published or 0
    return back.get(number, number)


def free_port(problem: Problem, wanted: int, given: set[int]) -> int:
    """Return a port that no service publishes and no earlier remedy proposes: 100 above, or the next ones."""
    used = {port.published for service in problem.services for port in published(service)} | given
    candidates = chain(range(wanted + 100, _LAST_PORT + 1), range(1024, wanted))
    return next(number for number in candidates if number not in used)
