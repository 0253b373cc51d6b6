#!/usr/bin/python
"""The lock of a node: one run at a time, for a while."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lease
short_description: Lock a node for one run, or unlock it
description:
  - A lease ends by itself when its run does not renew it; modules renew it while they work.
  - A living lease of another run is never broken. One that has ended may be taken.
  - A setting of the clock neither ends nor prolongs a lease.
version_added: "0.1.0"
author: bayplan
extends_documentation_fragment: [bayplan.fleet.common]
options:
  state:
    description: C(held) takes or renews it, C(free) gives it back.
    type: str
    choices: [held, free]
    default: held
  owner:
    description: Who runs this, with C(host), C(user), C(pid) and C(since).
    type: dict
    default: {}
  seconds:
    description: How long it lasts without being renewed.
    type: int
    default: 900
  resume:
    description: Whether a run may be taken over that is known to be dead.
    type: bool
    default: false
  dead:
    description: The run that is known to be dead. Only a run of the same plan may take its place.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Lock the node
  bayplan.fleet.lease:
    fleet: shop
    release_plan: 3f2a9c01d4e8
    run: "{{ ansible_date_time.epoch }}"
"""

RETURN = r"""
lease:
  description: The lease that is held now; empty after state=free.
  returned: success
  type: dict
taken_from:
  description: The lease that was taken over.
  returned: state=held
  type: dict
holder:
  description: The lease of the run that holds the node.
  returned: when it is refused
  type: dict
"""

from typing import TYPE_CHECKING, Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.bayplan.fleet.plugins.module_utils import hand, lease
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import LOCKED, NodeError

if TYPE_CHECKING:
    from ansible_collections.bayplan.fleet.plugins.module_utils.hand import Hand

SPEC: dict[str, Any] = {
    "state": {"type": "str", "choices": ["held", "free"], "default": "held"},
    "owner": {"type": "dict", "default": {}},
    "seconds": {"type": "int", "default": 900},
    "resume": {"type": "bool", "default": False},
    "dead": {"type": "str", "default": ""},
}


def work(told: Hand) -> dict[str, Any]:
    """Take, renew or free the lease."""
    if not told["run"]:
        raise NodeError("a lease belongs to a run, and none is named", "give `run`")
    before = lease.read(told.home.lock)
    if told["state"] == "free":
        mine = bool(before and before["run"] == told["run"])
        freed = mine if told.checking else lease.freed(told.home.lock, told["run"])
        msg = "freed" if freed else "another run holds it" if before else "nobody held it"
        return {"changed": freed, "lease": {}, "msg": msg}
    if told.checking:
        rules = {"resume": told["resume"], "dead": told["dead"]}
        if before and (why := lease.refusal(before, told.plan, told["run"], **rules)):
            raise NodeError(why, outcome=LOCKED, holder=before)
        return {"changed": not before or before["run"] != told["run"], "lease": before or {}, "taken_from": None}
    fresh, taken = _held(told)
    if taken:
        told.note("note", "lock", data={"taken_from": taken})
    return {"changed": not before or before["run"] != told["run"], "lease": fresh, "taken_from": taken}


def _held(told: Hand) -> tuple[dict[str, Any], dict[str, Any] | None]:
    rules = {"resume": told["resume"], "dead": told["dead"]}
    told.home.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    with hand.alone(told.home):  # a run may be gone while its last step is still at work
        return lease.held(told.home.lock, told.plan, told["run"], told["owner"], told["seconds"], **rules)


if __name__ == "__main__":
    hand.main(AnsibleModule, SPEC, work)
