#!/usr/bin/python
"""What a node was like before a plan, kept, and given back."""

from __future__ import annotations

DOCUMENTATION = r"""
module: backup
short_description: Keep how a node is, and put it back
description:
  - Keeps limits, definitions, images and units of a node before a plan, once for each plan.
  - Puts them back service by service, and fails unless the node is then what it was.
  - Data in volumes is never turned back.
version_added: "0.1.0"
author: bayplan
extends_documentation_fragment: [bayplan.fleet.common]
options:
  state:
    description: Keep it, put it back, or only say whether it is there.
    type: str
    choices: [made, restored, present]
    default: made
  projects:
    description: Compose projects of the fleet; containers of others are left alone.
    type: list
    elements: str
    default: []
  items:
    description: Put back only these services. Without any, all of them, the units and the release.
    type: list
    elements: dict
    default: []
  timeout:
    description: Seconds until a service that is put back must be healthy.
    type: int
    default: 180
"""

EXAMPLES = r"""
- name: Keep how the node is
  bayplan.fleet.backup:
    fleet: shop
    release_plan: 15c3720b7cee
    projects: [shop]

- name: Put it back
  bayplan.fleet.backup:
    fleet: shop
    release_plan: 15c3720b7cee
    state: restored
"""

RETURN = r"""
path:
  description: Where the backup is.
  returned: always
  type: str
steps:
  description: What was put back, in order.
  returned: when O(state=restored)
  type: list
  elements: str
differences:
  description: What is not as it was; nothing, or the module fails.
  returned: when O(state=restored)
  type: list
  elements: str
"""

from typing import TYPE_CHECKING, Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.bayplan.fleet.plugins.module_utils import engine, hand, marks, release_back, snapshot
from ansible_collections.bayplan.fleet.plugins.module_utils.containers import Kernel
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import HELD, NodeError
from ansible_collections.bayplan.fleet.plugins.module_utils.restore import Way
from ansible_collections.bayplan.fleet.plugins.module_utils.stage import Stage

if TYPE_CHECKING:
    from ansible_collections.bayplan.fleet.plugins.module_utils.hand import Hand

SPEC: dict[str, Any] = {
    "state": {"type": "str", "choices": ["made", "restored", "present"], "default": "made"},
    "projects": {"type": "list", "elements": "str", "default": []},
    "items": {"type": "list", "elements": "dict", "default": []},
    "timeout": {"type": "int", "default": 180},
}


def work(given: Hand) -> dict[str, Any]:
    """Do what the state asks for."""
    path = str(given.home.backup(given.plan))
    return {"path": path, **_STATES[given["state"]](given)}


def made(given: Hand) -> dict[str, Any]:
    """Keep how the node is, unless that was done before this plan already."""
    if snapshot.read(given.home, given.plan) is not None:
        return {"changed": False}
    if not given.checking:
        with given.at_work(), given.noted("backup"):
            snapshot.keep(given.home, given.plan, snapshot.take(given.home, given["projects"]))
    return {"changed": True}


def restored(given: Hand) -> dict[str, Any]:
    """Put back some services, or everything."""
    before = _before(given)
    only = [f"{one['project']}/{one['service']}" for one in given["items"]]
    stage = Stage(given, Kernel.here(), given["timeout"], 0)
    way = Way(stage, before, only)
    steps, files = way.steps(), [] if only else release_back.differences(given.home, before)
    copies = {} if only else marks.brought(given.home, given.plan)
    told = [
        *(way.told(name) for name in steps),
        *(f"{path}: removed, it came with the plan" for path in copies.values()),
    ]
    diff = {"before": "", "after": "".join(f"{line}\n" for line in [*told, *files])}
    if given.checking or not (told or files):
        return {"changed": bool(told or files), "steps": told, "differences": [], "diff": diff}
    with given.at_work():
        failed = [why for name in steps if (why := _taken(given, way, name))]
        if not only:
            release_back.put(given.home, before)
            for name, path in copies.items():
                marks.discard(given.home, name, path)
    left = [*failed, *Way(stage, before, only).differences()]
    left += [] if only else release_back.differences(given.home, before)
    if left:
        raise NodeError(f"not everything is as it was: {', '.join(left[:5])}", "", HELD, differences=left)
    return {"changed": True, "steps": told, "differences": [], "diff": diff}


def _taken(given: Hand, way: Way, name: str) -> str:
    """Put one service back; return why it could not be: that keeps nobody else from going back."""
    try:
        with given.noted("restore", service=name):
            way.take(name)
    except NodeError as fault:
        return str(fault)
    return ""


def present(given: Hand) -> dict[str, Any]:
    """Say whether a backup is there, with its images."""
    before = snapshot.read(given.home, given.plan)
    if before is None:
        return {"changed": False, "exists": False, "valid": False, "why": "there is none"}
    pins = snapshot.pins(given.home, given.plan, before["containers"])
    gone = [name for name, identity in sorted(pins.items()) if engine.image_id(name) != identity]
    why = f"the image {gone[0]} is gone" if gone else ""
    return {"changed": False, "exists": True, "valid": not why, "why": why, "before": before}


def _before(given: Hand) -> dict[str, Any]:
    before = snapshot.read(given.home, given.plan)
    if before is None:
        raise NodeError(f"there is no backup of plan {given.plan} on this node", "it was never begun here")
    return before


_STATES = {"made": made, "restored": restored, "present": present}


if __name__ == "__main__":
    hand.main(AnsibleModule, SPEC, work)
