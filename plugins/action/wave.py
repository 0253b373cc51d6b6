"""wave: what a wave is, for the conditions of a role; nothing is run on the node."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.bayplan.fleet.plugins.plugin_utils.bundle import items_of, read, wave_of

_STATES = {"start": "started", "stop": "removed", "rest": "rested", "scale": "recreated"}
"""Kind of wave → the state that its services come into."""


def _state(wave: dict[str, Any]) -> str:
    """Return the state that the services of a wave come into; one that only makes room stops and stays there."""
    makes_room = wave["kind"] == "stop" and any(item["after"] for some in wave["nodes"].values() for item in some)
    return "stopped" if makes_room else _STATES.get(wave["kind"], "")


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core ships no types
    """Returns source and target, whether data goes along, and whether it was done before this run."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Read the plan and answer."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        del tmp
        known = task_vars or {}
        data = read(str(self._task.args["plan"]))
        node = str(known["inventory_hostname"])
        number, back = int(self._task.args.get("wave", 0)), bool(self._task.args.get("back"))
        if not number:
            return {**result, "changed": False, "proxies": proxies(data["nodes"][node]["files"])}
        wave = wave_of(data, number)
        result.update(changed=False, items=len(items_of(wave, node)), state=_state(wave))
        if wave["kind"] == "move":
            result.update(_move(wave, known, back=back))
        return result


def _move(wave: dict[str, Any], known: dict[str, Any], *, back: bool) -> dict[str, Any]:
    source, target = (wave["target"], wave["source"]) if back else (wave["source"], wave["target"])
    left = all(f"{one['project']}.{one['service']}" in _fences(known, wave["source"]) for one in wave["services"])
    return {
        "source": source,
        "target": target,
        "stateful": wave["stateful"],
        "stop_first": wave["stop_first"] or wave["stateful"],
        "carries": bool(wave["volumes"] or wave["paths"]),
        "moved": not left if back else left,
        "edges": [{"edge": one["edge"], "upstream": one["upstream"], "node": one["node"]} for one in wave["edges"]],
    }


def proxies(files: dict[str, str]) -> list[str]:
    """Return the edges whose proxy stands on a node, by the files that it gets."""
    return sorted({name.split("/")[1] for name in files if name.startswith("proxy/")})


def _fences(known: dict[str, Any], node: str) -> list[str]:
    """Return the services that left a node for good, as preflight saw them."""
    seen = ((known.get("hostvars") or {}).get(node) or {}).get("__preflight_found") or {}
    return list((seen.get("facts") or {}).get("fences") or ())
