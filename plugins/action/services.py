"""services: the items of a wave, as the plan says them for this node."""

from __future__ import annotations

from typing import Any

from ansible_collections.bayplan.fleet.plugins.plugin_utils.bundle import PlanAction, items_of, wave_of


class ActionModule(PlanAction):
    """Hands the module the services that a wave touches on this node."""

    def told(self, data: dict[str, Any], node: str, given: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
        """Return the module's arguments; `only: N` takes the one item with that index."""
        del known
        if given["state"] == "fetched" and not given.get("wave"):
            return {**given, "items": made_of(data, node)}
        wave = wave_of(data, int(given.pop("wave")))
        items = items_of(wave, node)
        only = given.pop("only", None)
        if only is not None:
            items = items[int(only) : int(only) + 1]
        stateful = bool(wave.get("stateful")) if wave["kind"] == "move" else False
        return {**given, "items": items, "stateful": stateful}


def made_of(data: dict[str, Any], node: str) -> list[dict[str, Any]]:
    """Return the services that a plan makes containers of on a node, each once; movers bring what they need."""
    found = {
        f"{item['project']}/{item['service']}": item
        for wave in data["waves"]
        if wave["kind"] not in ("resize", "stop", "move")
        for item in items_of(wave, node)
    }
    return [found[name] for name in sorted(found)]
