"""A plan as Ansible runs it: one play for each wave, its name saying why; what is done stands in rollout.json.

The playbook holds order and reasons, never data: roles read rollout.json beside it on the control node, so nothing that
a policy or a Compose file says is ever taken for a template.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bayplan.render.emit import emit, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

GROUP = "bayplan"
"""The group of all nodes of a fleet in its inventory."""

_OPENING = re.compile(r"\{(?=[{%#])")
"""A brace that would open a template; in `{{{` there are two of them."""

_ROLES = {
    "resize": "resize",
    "recreate": "recreate",
    "move": "move",
    "start": "run",
    "stop": "run",
    "rest": "run",
    "scale": "recreate",
}
"""Kind of wave → the role that does it."""


def playbook(rollout: Mapping[str, Any]) -> str:
    """Return the playbook that applies a plan.

    Args:
        rollout: what `render.rollout.rollout_data` gives.
    """
    everyone = _pattern(rollout["nodes"])
    plays = [
        _play(f"Look before the first step, and lock the nodes: plan {rollout['plan']}", everyone, "preflight"),
        _play("Keep what is there now, and bring the new files and images", everyone, "release"),
        *(_wave(wave) for wave in rollout["waves"]),
        _play(
            "Make the release the current one, check it against the policy, and unlock the nodes", everyone, "finish"
        ),
    ]
    return _text(plays, f"Applies plan {rollout['plan']}", rollout)


def rollback_playbook(rollout: Mapping[str, Any]) -> str:
    """Return the playbook that takes a plan back: moves in reverse order with their data, then everything else."""
    everyone = _pattern(rollout["nodes"])
    moves = [wave for wave in reversed(rollout["waves"]) if wave["kind"] == "move"]
    plays = [
        _play(f"Look before going back, and lock the nodes: plan {rollout['plan']}", everyone, "preflight", back=True),
        *(_back(wave) for wave in moves),
        _play("Put back limits, files and containers as they were before the plan", everyone, "rollback"),
    ]
    return _text(plays, f"Takes plan {rollout['plan']} back", rollout)


def _text(plays: list[dict[str, Any]], does: str, rollout: Mapping[str, Any]) -> str:
    header = (
        f"{does}; made by `bayplan plan {rollout['policy']}`.\nWhat each play does stands in rollout.json beside it."
    )
    return listed(plays, header)


def _wave(wave: Mapping[str, Any]) -> dict[str, Any]:
    words = f"{wave['number']}. {wave['stage']}: {wave['why']}"
    role = _ROLES[wave["kind"]]
    return _play(words, _pattern(nodes_of(wave)), role, wave=wave["number"])


def _back(wave: Mapping[str, Any]) -> dict[str, Any]:
    names = ", ".join(item["service"] for item in wave["services"])
    words = f"Move back with the data of today: {names} {wave['target']} to {wave['source']}"
    return _play(words, _pattern(nodes_of(wave)), "move", wave=wave["number"], back=True)


def _pattern(nodes: Iterable[str]) -> str:
    return ":".join(sorted(nodes))


def nodes_of(wave: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the nodes that a wave touches, sorted; a proxy that learns of a move is one of them."""
    if wave["kind"] == "move":
        proxies = {edge["node"] for edge in wave.get("edges") or ()}
        return tuple(sorted({wave["source"], wave["target"], *proxies}))
    return tuple(sorted(wave["nodes"]))


def _play(name: str, hosts: str, role: str, *, wave: int = 0, back: bool = False) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if wave:
        given[f"{role}_wave"] = wave
    if back:
        given[f"{role}_back"] = True
    return {
        "name": untemplated(name),
        "hosts": hosts,
        "gather_facts": False,
        "become": True,
        "any_errors_fatal": True,
        "roles": [{"role": f"bayplan.fleet.{role}", **({"vars": given} if given else {})}],
    }


def untemplated(text: str) -> str:
    """Return a text that Ansible takes as it stands: the name of a play is a template."""
    text = _OPENING.sub("{ ", text)
    return text[:1].upper() + text[1:]


def inventory(nodes: Iterable[tuple[str, str, str]]) -> str:
    """Return a static inventory.

    Args:
        nodes: name, address and connection (`ssh` or `local`) of each.
    """
    hosts = {
        name: {"ansible_host": address, **({"ansible_connection": "local"} if connection == "local" else {})}
        for name, address, connection in sorted(nodes)
    }
    header = "The nodes of the fleet; a file inventory/FLEET/hosts.yml of your own is taken instead."
    return emit({GROUP: {"hosts": hosts}}, header)
