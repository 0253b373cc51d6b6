"""data: which volumes and folders go from one node to the other in a wave."""

from __future__ import annotations

from typing import Any

from ansible_collections.bayplan.fleet.plugins.plugin_utils.bundle import PlanAction, wave_of


class ActionModule(PlanAction):
    """Hands the module what a move carries; addresses and host keys come from the other node's own words."""

    def told(self, data: dict[str, Any], node: str, given: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
        """Return the module's arguments."""
        del node
        wave = wave_of(data, int(given["wave"]))
        back = bool(given.pop("back", False))
        source, target = (wave["target"], wave["source"]) if back else (wave["source"], wave["target"])
        addresses = self.addresses(data, known)
        told = {
            **given,
            "volumes": [{key: one[key] for key in ("project", "key", "name")} for one in wave["volumes"]],
            "paths": wave["paths"],
            "services": [{"project": one["project"], "service": one["service"]} for one in wave["services"]],
        }
        if given["state"] in ("pulled", "verified"):
            told["source_address"] = addresses[source]
        if given["state"] == "offered":
            told["target_address"] = addresses[target]
        return told
