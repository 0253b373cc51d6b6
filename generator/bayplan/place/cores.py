"""Core sets that are too small for what stands on them, and nodes that leave no core for the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.analyse.cores import SHARED, cores, kind
from bayplan.finding import Finding, error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.model.fleet import Fleet, Node
    from bayplan.model.placement import Placement


def core_findings(fleet: Fleet, placement: Placement) -> Iterator[Finding]:
    """Yield the copies for which too few cores are free, and nodes on which none is left for the others."""
    for name, given in cores(fleet, placement).items():
        node = fleet.nodes[name]
        for copy, wanted in given.short.items():
            service = fleet.services[copy.service]
            message = f"asks for {wanted} cores of its own on {name}; fewer are in no set and nobody's own"
            yield error("pinning/too-few-cores", service.place, str(copy), message, _remedy(node))
        others = [one for one in placement.on(name) if kind(fleet, fleet.services[one.service]) == SHARED]
        if others and not given.rest:
            message = f"has no core left for {others[0].service}: each is the system's or somebody's own"
            yield error("pinning/no-core", node.place, f"nodes.{name}", message, _remedy(node))


def _remedy(node: Node) -> str:
    sets = ", ".join(name for name in sorted(node.core_map)) or "none"
    return f"make a set of nodes.{node.name}.core_map smaller ({sets}), or ask for fewer CPUs"
