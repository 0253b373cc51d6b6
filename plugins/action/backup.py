"""backup: which services a plan touches on a node."""

from __future__ import annotations

from typing import Any

from ansible_collections.bayplan.fleet.plugins.plugin_utils.bundle import PlanAction, items_of, wave_of


class ActionModule(PlanAction):
    """Hands the module the services of one wave, or none for all of the node."""

    def told(self, data: dict[str, Any], node: str, given: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
        """Return the module's arguments."""
        del known
        number = int(given.pop("wave", 0))
        items = items_of(wave_of(data, number), node) if number else []
        return {**given, "items": items, "projects": projects(data)}


def projects(data: dict[str, Any]) -> list[str]:
    """Return every Compose project that a plan knows, on whatever node."""
    found = {project for node in data["nodes"].values() for project in node["projects"]}
    found |= {name.partition("/")[0] for node in data["nodes"].values() for name in node["expected"]}
    found |= {item["project"] for wave in data["waves"] for node in data["nodes"] for item in items_of(wave, node)}
    return sorted(found)
