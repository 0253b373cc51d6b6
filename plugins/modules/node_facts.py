#!/usr/bin/python
"""What is true of a node: containers with their limits, volumes, cards, versions."""

from __future__ import annotations

DOCUMENTATION = r"""
module: node_facts
short_description: Look at a node without touching it
description:
  - Returns what a plan is made from, and a digest of each part, by which a stale plan is recognised.
  - Limits are read twice, from Docker's record and from the kernel; the two can differ.
version_added: "0.1.0"
author: bayplan
extends_documentation_fragment: [bayplan.fleet.common]
options:
  pynvml:
    description: Path of a C(pynvml.py) on the node. Without it, GPUs are not looked for.
    type: path
    default: ""
  sizes:
    description: Whether to walk the volumes for their sizes. That takes long where they hold many files.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Look at the node
  bayplan.fleet.node_facts:
    fleet: shop
  register: looked
"""

RETURN = r"""
facts:
  description: Hardware, versions, containers, volumes, networks, images, slices, and what bayplan itself left there.
  returned: always
  type: dict
keys:
  description: Part of the facts → digest. Utilisation, sizes and start times are in none of them.
  returned: always
  type: dict
"""

from typing import TYPE_CHECKING, Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.bayplan.fleet.plugins.module_utils import facts, hand
from ansible_collections.bayplan.fleet.plugins.module_utils.keys import keys

if TYPE_CHECKING:
    from ansible_collections.bayplan.fleet.plugins.module_utils.hand import Hand

SPEC: dict[str, Any] = {"pynvml": {"type": "path", "default": ""}, "sizes": {"type": "bool", "default": True}}


def work(told: Hand) -> dict[str, Any]:
    """Look."""
    found = facts.collect(told.home, told["pynvml"] or "", sizes=told["sizes"])
    return {"changed": False, "facts": found, "keys": keys(found)}


if __name__ == "__main__":
    hand.main(AnsibleModule, SPEC, work)
