"""release: the files of a node, from the folder of the plan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.bayplan.fleet.plugins.plugin_utils.bundle import PlanAction


class ActionModule(PlanAction):
    """Hands the module the files of this node, the addresses of all, and where its projects live."""

    def told(self, data: dict[str, Any], node: str, given: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
        """Return the module's arguments."""
        wanted = data["nodes"][node]
        return {
            **given,
            "files": texts(Path(str(self._task.args["plan"])) / "files" / node, wanted["files"]),
            "addresses": self.addresses(data, known),
            "projects": wanted["projects"],
            "folders": wanted["folders"],
            "networks": wanted["networks"],
        }


def texts(folder: Path, names: dict[str, str]) -> dict[str, str]:
    """Return path → text of the files that a node gets."""
    try:
        return {name: (folder / name).read_text(encoding="utf-8") for name in sorted(names)}
    except OSError as fault:
        raise AnsibleActionFail(f"{fault.filename} is missing from the plan; make the plan again") from fault
