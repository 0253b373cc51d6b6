"""What a node tells of itself, as the file of observed facts has it.

Only what a plan depends on is kept: no utilisation, no ids, no start times, so that looking twice changes nothing but
the time. Sizes of volumes are rounded up, for databases grow while they are looked at.
"""

from __future__ import annotations

import re
from datetime import UTC
from typing import TYPE_CHECKING, Any

from bayplan.policy.observed import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

_ANONYMOUS = re.compile(r"[0-9a-f]{64}")
_RUNS = ("running", "paused", "restarting")
_STEPS = 8
"""Into how many steps a power of two is divided, to which sizes are rounded up."""


def facts_to_observed(
    facts: Mapping[str, Any],
    keys: Mapping[str, str],
    node: str,
    taken: datetime,
    before: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the content of `observed/<node>.yml`.

    Args:
        facts: what the module `bayplan.fleet.node_facts` returned.
        keys: likewise.
        node: what the policy calls the node.
        taken: when it was asked.
        before: the content that the file had; what is measured over a longer time is kept.
    """
    storage = facts.get("storage") or {}
    reserve = (before or {}).get("reserve")
    cards = ("index", "uuid", "model", "memory")
    return {
        "schema_version": SCHEMA_VERSION,
        "node": node,
        "taken": taken.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        **{name: facts[name] for name in ("arch", "cpus", "threads_per_core", "memory")},
        "gpus": [{name: card[name] for name in cards} for card in facts.get("gpus") or ()],
        "disks": {"default": {name: storage[name] for name in ("path", "size")}} if storage else {},
        **({"reserve": reserve} if reserve else {}),
        "volumes": dict(_volumes(facts)),
        "docker": {
            "engine": facts.get("docker", ""),
            "compose": facts.get("compose", ""),
            "cgroup": facts.get("cgroup", 0),
            "driver": facts.get("cgroup_driver", ""),
            "live_restore": bool(facts.get("live_restore")),
        },
        "projects": {
            name: {"root": one["root"], "release": facts["release"]}
            for name, one in sorted((facts.get("deployed") or {}).items())
            if one.get("compose")
        },
        "services": list(_services(facts)),
        "keys": dict(sorted(keys.items())),
    }


def deployed_files(facts: Mapping[str, Any]) -> dict[str, str]:
    """Return project → the Compose file that bayplan has deployed, as it stands on the node."""
    deployed = facts.get("deployed") or {}
    return {name: one["compose"] for name, one in sorted(deployed.items()) if one.get("compose")}


def _volumes(facts: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the volumes that have a name of their own and are whole; those that are bound to a folder, with it."""
    incomplete = set(facts.get("incomplete") or ())
    for one in sorted(facts.get("volumes") or (), key=lambda one: str(one["name"])):
        name, size = one["name"], rounded(one["size"])
        if name not in incomplete and not _ANONYMOUS.fullmatch(name):
            yield name, {"size": size, "device": one["device"]} if one.get("device") else size


def rounded(size: int) -> int:
    """Return a size rounded up to the next eighth of its power of two."""
    step = max(1, (1 << max(0, size.bit_length() - 1)) // _STEPS)
    return -(-size // step) * step


def _services(facts: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the containers of all Compose projects, by name and number; those without one are the node's reserve."""
    ours = [one for one in facts.get("containers") or () if one["service"] and one["number"]]
    for one in sorted(ours, key=lambda one: (one["project"], one["service"], one["number"])):
        limits = {key: value for key, value in one["configured"].items() if value not in (None, "")}
        yield {
            **{key: one[key] for key in ("project", "service", "number")},
            "running": one["state"] in _RUNS,
            **({"done": True} if one["state"] == "exited" and one.get("exit_code") == 0 else {}),
            "image": one["image"],
            "limits": dict(sorted(limits.items())),
        }
