"""What a plan depends on: one digest for each part of the facts, so that a stale plan can say what became other."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_LENGTH = 16
_RUNS = ("running", "paused", "restarting")


def keys(facts: Mapping[str, Any]) -> dict[str, str]:
    """Return key → digest. Utilisation, sizes, ids and start times are in none of them."""
    parts: dict[str, Any] = {
        "docker": [facts["docker"], facts["live_restore"], facts["log_driver"], facts["log_opts"]],
        "compose": facts["compose"],
        "cgroup": [facts["cgroup"], facts["cgroup_driver"]],
        "drop-ins": [[one["name"], one["drop_ins"]] for one in facts["slices"] if one["drop_ins"]],
        "release": facts["release"],
        "hardware": [
            *(facts[name] for name in ("arch", "cpus", "threads_per_core", "memory")),
            [[card["index"], card["uuid"], card["memory"]] for card in facts["gpus"]],
        ],
    }
    for one in facts["containers"]:
        if one["service"] and one["number"]:
            parts[f"container/{one['project']}/{one['service']}/{one['number']}"] = _container(one)
    for one in facts["volumes"]:
        parts[f"volume/{one['name']}"] = [one["name"], one["driver"], one["device"]]
    return {key: _digest(parts[key]) for key in sorted(parts)}


def _container(one: Mapping[str, Any]) -> list[Any]:
    plain = [one[name] for name in ("project", "service", "number", "image_id", "configured", "config_hash")]
    mounts = [[each["type"], each["name"] or each["source"], each["target"], each["rw"]] for each in one["mounts"]]
    return [*plain, one["state"] in _RUNS, mounts]


def _digest(part: Any) -> str:
    text = json.dumps(part, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]
