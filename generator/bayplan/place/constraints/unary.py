"""What one service and one node settle between them, whoever else is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.analyse import cards
from bayplan.analyse.cores import EXCLUSIVE, SHARED, cores_in, kind, where_said
from bayplan.analyse.eligible import HARD, may_stand, runs_on, tolerates
from bayplan.place.constraints import lines
from bayplan.place.constraints.rules import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.model.fleet import Fleet, Node
    from bayplan.model.service import Service
    from bayplan.place.constraints.holds import Standing


def refusals(fleet: Fleet, service: Service, standing: Standing) -> Iterator[Refusal]:
    """Yield every node that a service can never stand on, once for each reason."""
    yield from _by_cores(fleet, service, standing)
    for _, node in sorted(fleet.nodes.items()):
        yield from _by_rule(service, node)
        yield from _by_label(service, node)
        yield from _by_taint(service, node, standing)
        yield from _by_hardware(service, node)


def _by_rule(service: Service, node: Node) -> Iterator[Refusal]:
    rule = service.placement
    if rule.node and rule.node != node.name:
        line = lines.fixed(service)
        yield Refusal(service.name, node.name, (line,), f"it is fixed to {rule.node}{_because(rule.why)}")
    if rule.nodes and node.name not in rule.nodes:
        listed = ", ".join(sorted(rule.nodes))
        line = lines.rule(service, "nodes", "", f"nodes: [{listed}]")
        yield Refusal(service.name, node.name, (line,), f"only {listed} may have it")


def _by_cores(fleet: Fleet, service: Service, standing: Standing) -> Iterator[Refusal]:
    """Yield the nodes without the set of cores that a newcomer asks for, if it may stand where there is one.

    Whoever stands on a node already is not sent away for it: there the name of the set is what is wrong.
    """
    word = kind(fleet, service)
    if standing or word in ("", SHARED, EXCLUSIVE) or cores_in(word):
        return
    having = {name for name, node in fleet.nodes.items() if word in node.core_map and may_stand(service, node)}
    line = lines.cores(service, where_said(fleet, service)[1])
    for name in sorted(set(fleet.nodes) - having) if having else ():
        yield Refusal(service.name, name, (line,), f"it has no cores called {word}")


def _because(why: str) -> str:
    return f" ({why})" if why else ""


def _by_label(service: Service, node: Node) -> Iterator[Refusal]:
    for label, values in sorted(service.placement.require.items()):
        if node.labels.get(label) not in values:
            wanted = ", ".join(sorted(values))
            line = lines.rule(service, "require", label, f"require {label}: {wanted}")
            has = node.labels.get(label, "nothing")
            yield Refusal(service.name, node.name, (line,), f"label {label} is {has}, required is {wanted}")
    label = service.placement.spread
    if label not in {"", "node"} and not service.placement.spread_soft and label not in node.labels:
        line = lines.rule(service, "spread", label, f"spread: {label}")
        yield Refusal(service.name, node.name, (line,), f"it has no label {label} to spread over")


def _by_taint(service: Service, node: Node, standing: Standing) -> Iterator[Refusal]:
    for mark in node.taints:
        # As in Kubernetes, NoSchedule keeps newcomers away and lets stay what is there.
        stays = node.name in standing and mark.effect == "NoSchedule"
        if mark.effect in HARD and not tolerates(service, mark) and not stays:
            words = f"taint {mark.key}:{mark.effect} is not tolerated"
            yield Refusal(service.name, node.name, (lines.taint(node, mark),), words)


def _by_hardware(service: Service, node: Node) -> Iterator[Refusal]:
    if not runs_on(service, node):
        words = f"it is {node.arch}, the image is for {', '.join(sorted(service.platforms))}"
        yield Refusal(service.name, node.name, (lines.arch(service),), words)
    if service.gpu:
        reason = cards.missing(service.gpu, node)
        if reason:
            both = (lines.gpu_demand(service, service.gpu), lines.cards(node))
            yield Refusal(service.name, node.name, both, f"it {reason}")
