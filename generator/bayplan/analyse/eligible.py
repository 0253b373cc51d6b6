"""Where a service may stand at all: by its placement, labels, taints and processors, whoever else is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bayplan.model.fleet import Fleet, Node, Taint
    from bayplan.model.service import Service

HARD = frozenset({"NoSchedule", "NoExecute"})
"""Effects of taints that keep services away."""
_ARCHES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"}


def may_stand(service: Service, node: Node) -> bool:
    """Whether a newcomer of this kind may stand on a node, as far as nobody else is concerned."""
    rule = service.placement
    named = (not rule.node or rule.node == node.name) and (not rule.nodes or node.name in rule.nodes)
    labelled = all(node.labels.get(label) in values for label, values in rule.require.items())
    kept_away = any(mark.effect in HARD and not tolerates(service, mark) for mark in node.taints)
    return named and labelled and not kept_away and runs_on(service, node)


def tolerates(service: Service, mark: Taint) -> bool:
    """Whether a service tolerates a taint, by its key or by `key=value`."""
    return bool(
        {mark.key, f"{mark.key}={mark.value}", f"{mark.key}:{mark.effect}"} & set(service.placement.tolerations)
    )


def runs_on(service: Service, node: Node) -> bool:
    """Whether the image runs on the node's processor, as far as both are known."""
    known = {_arch(part) for platform in service.platforms for part in platform.split("/")[1:2] or [platform]}
    return not node.arch or not known or _arch(node.arch) in known


def _arch(name: str) -> str:
    return _ARCHES.get(name, name)


def domains_of(fleet: Fleet, label: str, nodes: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Return value of the label → nodes that have it; the label `node` makes each node a domain."""
    found: dict[str, list[str]] = {}
    for node in sorted(nodes):
        value = node if label == "node" else fleet.nodes[node].labels.get(label)
        if value is not None:
            found.setdefault(value, []).append(node)
    return {value: tuple(names) for value, names in sorted(found.items())}
