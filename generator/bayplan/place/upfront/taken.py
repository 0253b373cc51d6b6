"""Ports, addresses and names that two services must have on one node, because both are bound to it."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from bayplan.analyse import addresses
from bayplan.analyse.ports import published
from bayplan.finding import Finding, error
from bayplan.model.names import Name
from bayplan.place.constraints.holds import network_of
from bayplan.place.constraints.rules import Apart, Near, Together
from bayplan.place.upfront.whereabouts import Whereabouts, members_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.model.service import Port, Service
    from bayplan.place.constraints.lines import Key
    from bayplan.place.constraints.problem import Problem

Cause = tuple[Finding, frozenset["Key"]]
_LAST_PORT = 65535


def taken(problem: Problem, where: Whereabouts) -> Iterator[Cause]:
    """Yield each pair of services that must share a node and have one port, address or name there."""
    tied = [set(members_of(rule)) for rule in problem.active() if isinstance(rule, Near | Together)]
    refused = problem.refused()
    given: dict[str, set[int]] = {}
    for rule in problem.active():
        if not isinstance(rule, Apart) or rule.one == rule.other:
            continue
        kind = rule.lines[0].kind
        node = _shared(problem, where, rule, refused, tied) if kind in ("port", "address", "name") else ""
        if node and kind == "port":
            yield _cause(problem, rule, node, given.setdefault(node, set()))
        elif node:
            yield _one_identity(problem, rule, node, kind)


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


def _one_identity(problem: Problem, rule: Apart, node: str, kind: str) -> Cause:
    """Return the finding of one address or one name for two services: the less important one gets another."""
    stays, yields = _ranked(problem, rule)
    kept, moved = (next(line for line in rule.lines if line.subject == str(one.name)) for one in (stays, yields))
    write = paste = ""
    if kind == "address":
        joined = next(one for one in yields.networks if one.ipv4 == moved.detail)
        network = network_of(problem.fleet, yields, joined)
        given = {one.ipv4 for service in problem.services for one in service.networks}
        write = addresses.free(network, given) if network is not None else ""
        what = f"have the address {moved.detail} on {joined.network}"
    else:
        paste = f"services: {{{yields.name}: {{compose: {{container_name: !reset null}}}}}}"
        what = f"have the container_name {moved.detail}"
    finding = error(
        f"network/{kind}-taken",
        moved.place,
        str(yields.name),
        f"{yields.name} and {stays.name} both {what} on {node}: the second one does not start",
        paste=paste,
        write=write,
        arithmetic="2 services, 1 " + ("address" if kind == "address" else "name"),
        also=(kept.place,),
    )
    return finding, frozenset({moved.key})


def _ranked(problem: Problem, rule: Apart) -> tuple[Service, Service]:
    """Return who keeps what both want, and who gives way.

    That is the service that nobody depends on, then the less important one, then the later name.
    """
    fleet, both = problem.fleet, (rule.one, rule.other)
    needed = {Name(one.name.project, to.name) for one in problem.services for to in one.depends_on} & set(both)
    first, second = sorted(
        (fleet.services[name] for name in both),
        key=lambda one: (one.name not in needed, -fleet.tier_of(one).priority, one.name),
    )
    return first, second


def _cause(problem: Problem, rule: Apart, node: str, given: set[int]) -> Cause:
    """Return the finding: the less important service, or else the later name, gives way."""
    stays, yields = _ranked(problem, rule)
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
