#!/usr/bin/python
"""Services of Compose projects: limits, definitions, running or not."""

from __future__ import annotations

DOCUMENTATION = r"""
module: services
short_description: Bring services of Compose projects into a state, and prove it
description:
  - Changes limits live, replaces, starts, stops, rests or removes the containers of services, in the order of I(items).
  - Never runs a plain C(docker compose up); only the named services are touched.
  - What fails is taken back; C(outcome) is C(rolled-back) if that was proven, and C(held) if it was not.
version_added: "0.1.0"
author: bayplan
extends_documentation_fragment: [bayplan.fleet.common]
options:
  state:
    description:
      - C(fetched) has the images here that the release names, before anything is stopped for them.
      - C(resized) gives running containers other limits. A cut below what is in use is refused, also where the kernel
        would kill for it.
      - C(recreated) and C(started) make a service what the release says, and wait until it is up.
      - C(stopped) ends it with the right signal and keeps it from being revived. C(rested) has it made and not running.
      - C(removed) removes its containers and never a volume.
    type: str
    required: true
    choices: [fetched, resized, recreated, started, stopped, rested, removed]
  items:
    description:
      - The services, as in C(rollout.json). Each has C(project) and C(service), and may have C(id), C(copies),
        C(before) and C(after) (limits).
    type: list
    elements: dict
    default: []
  timeout:
    description: Seconds in which a service has to come up.
    type: int
    default: 180
  margin:
    description: How many percent more than what is in use a cut of memory has to leave.
    type: int
    default: 5
  stateful:
    description: Whether a stop that ends in SIGKILL is a failure. For databases it always is.
    type: bool
    default: false
  only:
    description: Index of the one item to take. Read by the action plugin.
    type: int
"""

EXAMPLES = r"""
- name: Give grafana half a gigabyte
  bayplan.fleet.services:
    fleet: shop
    state: resized
    items:
      - project: shop
        service: grafana
        after: {memory: 536870912, cpus: 500}
"""

RETURN = r"""
items:
  description: What was done about each service, with the limits of its containers before and after.
  returned: always
  type: list
  elements: dict
failed_item:
  description: The id of the item that failed; those after it were not begun.
  returned: on failure
  type: str
logs:
  description: Container → its last words, of those that did not come up.
  returned: on failure
  type: dict
"""

from typing import TYPE_CHECKING, Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.bayplan.fleet.plugins.module_utils import hand, steps
from ansible_collections.bayplan.fleet.plugins.module_utils.containers import Kernel
from ansible_collections.bayplan.fleet.plugins.module_utils.stage import Stage

if TYPE_CHECKING:
    from ansible_collections.bayplan.fleet.plugins.module_utils.hand import Hand

SPEC: dict[str, Any] = {
    "state": {"type": "str", "required": True, "choices": list(steps.STATES)},
    "items": {"type": "list", "elements": "dict", "default": []},
    "timeout": {"type": "int", "default": 180},
    "margin": {"type": "int", "default": 5},
    "stateful": {"type": "bool", "default": False},
    "only": {"type": "int"},
}


def work(told: Hand) -> dict[str, Any]:
    """Bring the services into their state."""
    with told.at_work():
        stage = Stage(told, Kernel.here(), told["timeout"], told["margin"], stateful=told["stateful"])
        return steps.run(stage, told["state"], stage.items(told["items"]))


if __name__ == "__main__":
    hand.main(AnsibleModule, SPEC, work)
