"""journal: a line in the words of the plan."""

from __future__ import annotations

from typing import Any

from ansible_collections.bayplan.fleet.plugins.plugin_utils.bundle import PlanAction


class ActionModule(PlanAction):
    """Hands the module fleet, plan and run."""

    def told(self, data: dict[str, Any], node: str, given: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
        """Return what the task says."""
        del data, node, known
        return given
