"""gate: what must be true after a wave, or in the end."""

from __future__ import annotations

from typing import Any

from ansible_collections.bayplan.fleet.plugins.plugin_utils.bundle import PlanAction, items_of, wave_of


class ActionModule(PlanAction):
    """Hands the module the services of a wave with what the policy promises them, and how full the node may be.

    `wave: 0` means everything that the node should run in the end; `look: true` measures and asks for nothing.
    """

    def told(self, data: dict[str, Any], node: str, given: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
        """Return the module's arguments."""
        del known
        wanted = data["nodes"][node]
        number = int(given.pop("wave", 0))
        look = bool(given.pop("look", False))
        services = [] if look else _everything(wanted) if not number else _of_wave(wave_of(data, number), node, wanted)
        return {
            **given,
            "services": services,
            "lines": wanted["lines"],
            "reserve": wanted["reserve"],
            "charges": charges(data, node),
        }


WHAT = {"resize": "resize", "recreate": "recreate", "scale": "recreate", "rest": "rest"}
"""Kind of wave → what the journal calls its steps; what an earlier run has done is left to the last gate."""


def _everything(wanted: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        _service(name, one["copies"], one["run"], one["limits"]) for name, one in sorted(wanted["expected"].items())
    ]


def _of_wave(wave: dict[str, Any], node: str, wanted: dict[str, Any]) -> list[dict[str, Any]]:
    if wave["kind"] == "stop" or (wave["kind"] == "move" and node != wave["target"]):
        return []
    run = "on-demand" if wave["kind"] == "rest" else ""
    what = WHAT.get(wave["kind"], "")
    return [{**_item(item, wanted, run), "what": what, "step": item["id"]} for item in items_of(wave, node)]


def _item(item: dict[str, Any], wanted: dict[str, Any], run: str) -> dict[str, Any]:
    name = f"{item['project']}/{item['service']}"
    last = wanted["expected"].get(name) or {}
    limits = item["after"] or last.get("limits") or {}
    return _service(name, item["copies"], run or "always", limits)


def _service(name: str, copies: int, run: str, limits: dict[str, Any]) -> dict[str, Any]:
    project, _, service = name.partition("/")
    return {"project": project, "service": service, "copies": copies, "run": run, "limits": limits}


def charges(data: dict[str, Any], node: str) -> dict[str, Any]:
    """Return service → what it is counted with where it has no limit of its own: as the plan counts it."""
    found = {
        f"{item['project']}/{item['service']}": item["charge"]
        for wave in data["waves"]
        for item in items_of(wave, node)
        if item.get("charge")
    }
    found |= {name: one["charge"] for name, one in data["nodes"][node]["expected"].items()}
    known = {name: {key: amount for key, amount in one.items() if amount is not None} for name, one in found.items()}
    return dict(sorted(known.items()))
