"""proxy: the servers of an upstream as a move changes them, or all files of an edge as they are in the end."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.bayplan.fleet.plugins.action.release import texts
from ansible_collections.bayplan.fleet.plugins.plugin_utils.bundle import PlanAction, wave_of

_ADDRESS = re.compile(r"\$\{(BAYPLAN_ADDRESS_[A-Z0-9_]+)\}")


class ActionModule(PlanAction):
    """Hands the module one upstream of one edge (with `wave`), or the edge's files (without)."""

    def told(self, data: dict[str, Any], node: str, given: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
        """Return the module's arguments."""
        edge, number, back = str(given["edge"]), int(given.pop("wave", 0)), bool(given.pop("back", False))
        addresses = {variable(name): address for name, address in self.addresses(data, known).items()}
        told = {**given, "container": f"{data['fleet']}/edge-{edge}", "addresses": addresses}
        if not number:
            folder = Path(str(self._task.args["plan"])) / "files" / node
            start = f"proxy/{edge}/"
            names = {name: digest for name, digest in data["nodes"][node]["files"].items() if name.startswith(start)}
            return {**told, "files": {name.removeprefix(start): text for name, text in texts(folder, names).items()}}
        upstream = str(given["upstream"])
        for one in wave_of(data, number)["edges"]:
            if (one["edge"], one["upstream"], one["node"]) == (edge, upstream, node):
                servers = one["from"] if back else one["to"]
                return {**told, "servers": [_ADDRESS.sub(lambda found: addresses[found[1]], one) for one in servers]}
        raise AnsibleActionFail(f"wave {number} changes no upstream {upstream} of {edge} on {node}")


def variable(node: str) -> str:
    """Return the name under which compiled files speak of a node's address."""
    return "BAYPLAN_ADDRESS_" + "".join(char if char.isalnum() else "_" for char in node.upper())
