"""How Ansible reaches the nodes of a policy: by the user's own inventory, else by the addresses in the policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from bayplan.model.fleet import Node

GROUP = "bayplan"
OWN = "hosts.yml"
"""The user's own inventory, in the folder `inventory/<fleet>`: users, keys, ports, jump hosts, group_vars beside it."""


def inventory_of(nodes: Iterable[Node], folder: Path) -> Path | dict[str, Any]:
    """Return the inventory to use.

    Args:
        nodes: the nodes of the policy.
        folder: `inventory/<fleet>`, or a file that is an inventory.
    """
    own = folder if folder.is_file() else folder / OWN
    if own.is_file():
        return own.resolve()
    return {GROUP: {"hosts": {node.name: host(node) for node in nodes}}}


def host(node: Node) -> dict[str, str]:
    """Return the variables by which a node is reached."""
    if node.connection == "local":
        return {"ansible_connection": "local", "ansible_host": node.address}
    return {"ansible_host": node.address}
