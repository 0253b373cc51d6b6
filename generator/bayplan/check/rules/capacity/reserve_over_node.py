"""Nodes that keep more back than may ever be filled of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.check.survey import written
from bayplan.finding import Severity
from bayplan.model import units
from bayplan.model.quantity import GPU_MEMORY, Origin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding, Place
    from bayplan.model.fleet import Node

RULE = Rule("capacity/reserve-over-node", Severity.ERROR)
_SHARE = 10
"""Of what a node has, one part in so many is proposed as a reserve."""


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each line that reserves more of a resource than lies below the ceiling of its node."""
    told: set[Place] = set()
    for name, node in survey.fleet.nodes.items():
        for resource, reserve in node.reserve.items():
            has, line = _sizes(node, resource)
            if not has or reserve.amount <= line or reserve.origin is Origin.MEASURED or reserve.place in told:
                continue
            told.add(reserve.place)
            kept, there = units.show(resource, reserve.amount), units.show(resource, has)
            below = "" if line == has else f", of which {units.show(resource, line)} may be filled"
            path = survey.node_path(name, "reserve", *resource.split(":"))
            smaller = written(resource, min(has // _SHARE, line), down=False)
            yield RULE.finding(
                reserve.place,
                name,
                f"keeps {kept} of {resource} back, and has {there}{below}: nothing is left for services",
                arithmetic=f"{kept} > {units.show(resource, line)}",
                paste=survey.paste(path, smaller),
            )


def _sizes(node: Node, resource: str) -> tuple[int, int]:
    """Return what a node has of a resource, and how much of it may be filled; of VRAM, those of its first card."""
    if resource != GPU_MEMORY:
        return node.has(resource), node.line(resource)
    has = node.gpus[0].memory if node.gpus else 0
    share = node.ceilings.get(GPU_MEMORY)
    return has, share.of(has) if share else has
