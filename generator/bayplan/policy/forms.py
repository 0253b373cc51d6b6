"""Short forms of the policy made long, once, so that everything after handles one shape."""

from __future__ import annotations

import re

from bayplan.source import Node

_SIZE = re.compile(r"\s*[0-9.]+\s*[KMGT]i?B?\s*")


def canonical_service(node: Node) -> Node:
    """Return a service's policy with its short forms written out; what is no map is left for the schema to name."""
    if not node.is_map:
        return node
    forms = {"tuning": _tuning, "gpu": _gpu, "placement": _placement}
    changed = {key: forms[key](value) if key in forms else value for key, value in node.items()}
    return node.with_value(changed)


def _wrap(node: Node, key: str) -> Node:
    return Node({key: Node(node.value, node.place, node.key, text=node.text)}, node.place, node.key)


def _tuning(node: Node) -> Node:
    return _wrap(node, "recipe") if isinstance(node.value, str) else node


def _placement(node: Node) -> Node:
    if isinstance(node.value, str):
        return _wrap(node, "node")
    spread = node.get("spread")
    if spread is not None and isinstance(spread.value, str):
        return node.with_value({**node.value, "spread": _wrap(spread, "by")})
    return node


def _gpu(node: Node) -> Node:
    """`2.5GiB` is a share of a card, `1` is whole cards, `1g.10gb` is a slice."""
    if isinstance(node.value, bool) or node.is_map:
        return node
    if isinstance(node.value, int):
        return _wrap(node, "count")
    if isinstance(node.value, str):
        return _wrap(node, "memory" if _SIZE.fullmatch(node.value) else "profile")
    return node
