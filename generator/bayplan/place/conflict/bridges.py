"""Remedies that change no amount: bridge what holds a service, loosen a rule, take another port."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayplan.analyse.ports import published
from bayplan.model.names import Name
from bayplan.place.conflict import amend
from bayplan.place.conflict.remedy import BRIDGE, LOOSEN, Case, Remedy, remedy
from bayplan.place.constraints import ties
from bayplan.place.upfront.taken import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bayplan.model.service import Service
    from bayplan.place.constraints.lines import PolicyLine

Change = tuple[int, tuple[str, ...], Any]
"""Kind of effort, path, value."""


def bridges(case: Case) -> Iterator[Remedy]:
    """Yield every change of a rule in the conflict that ends it."""
    for line in case.lines:
        if line.kind not in _CHANGES or case.hopeless(line):
            continue
        for kind, path, value in _CHANGES[line.kind](case, line):
            if case.ends(path, value):
                yield remedy(kind, 0, path, value)


def _unpin(_case: Case, line: PolicyLine) -> Iterator[Change]:
    yield LOOSEN, ("services", line.subject, "placement"), None


def _rule(word: str) -> Callable[[Case, PolicyLine], Iterator[Change]]:
    def change(_case: Case, line: PolicyLine) -> Iterator[Change]:
        yield LOOSEN, ("services", line.subject, "placement", word), None

    return change


def _spread(_case: Case, line: PolicyLine) -> Iterator[Change]:
    yield LOOSEN, ("services", line.subject, "placement", "spread"), {"by": line.detail, "soft": True}


def _tolerate(case: Case, line: PolicyLine) -> Iterator[Change]:
    """Let the services of the conflict onto the tainted node, one at a time."""
    for subject in sorted({one.subject for one in case.lines if one.kind not in {"taint", "capacity", "gpus", "pool"}}):
        service = case.fleet.services.get(amend.name_of(subject))
        if service and line.detail not in service.placement.tolerations:
            tolerated = [*service.placement.tolerations, line.detail]
            yield LOOSEN, ("services", subject, "placement", "tolerations"), tolerated
    bound = {str(one.name): _tolerant(one, line) for one in case.problem.services if one.placement.only == line.subject}
    if len(bound) > 1:
        yield LOOSEN, ("services",), {name: {"placement": value} for name, value in bound.items()}


def _tolerant(service: Service, line: PolicyLine) -> dict[str, Any]:
    """Return the placement of who may only stand on one node, with the taint of that tolerated."""
    return {"nodes": [line.subject], "tolerations": sorted({*service.placement.tolerations, line.detail})}


def _volume(_case: Case, line: PolicyLine) -> Iterator[Change]:
    yield BRIDGE, ("volumes", line.subject, "access"), "network"
    yield BRIDGE, ("volumes", line.subject, "on_move"), "own"


def _carry(_case: Case, line: PolicyLine) -> Iterator[Change]:
    yield BRIDGE, ("volumes", line.subject, "on_move"), "carry"


def _bind(case: Case, line: PolicyLine) -> Iterator[Change]:
    held = [hold for hold in case.problem.holds if hold.line.key == line.key]
    paths = {amend.key_of(what): {"on_move": "carry"} for hold in held for what in hold.what}
    if paths:
        yield BRIDGE, ("volumes",), paths


def _static(_case: Case, line: PolicyLine) -> Iterator[Change]:
    project = amend.name_of(line.subject).project
    yield BRIDGE, ("networks", str(Name(project, line.detail)), "static_addresses"), "drop-when-moved"


def _edge(case: Case, line: PolicyLine) -> Iterator[Change]:
    name = amend.name_of(line.subject)
    to = case.fleet.services[Name(name.project, line.detail)]
    _, network = ties.bridge_of(case.fleet, case.fleet.services[name], to)
    if network:
        for way in ("published", "proxy"):
            yield BRIDGE, ("networks", str(network.name), "between_nodes"), way


def _port(case: Case, line: PolicyLine) -> Iterator[Change]:
    service = case.fleet.services[amend.name_of(line.subject)]
    before = {new: old for old, new in service.remap_ports.items()}
    for port in published(service):
        if line.detail == f"{port.host_ip}:{port.published}/{port.protocol}" and service.replicas.count == 1:
            number = port.published or 0
            free = free_port(case.problem, number, set())
            yield BRIDGE, ("services", line.subject, "remap_ports"), {before.get(number, number): free}


_CHANGES: Mapping[str, Callable[[Case, PolicyLine], Iterator[Change]]] = {
    "fixed": _unpin,
    "nodes": _rule("nodes"),
    "require": _rule("require"),
    "affinity": _rule("affinity"),
    "apart": _rule("anti_affinity"),
    "spread": _spread,
    "taint": _tolerate,
    "volume": _volume,
    "never": _carry,
    "bind": _bind,
    "static": _static,
    "edge": _edge,
    "port": _port,
}
