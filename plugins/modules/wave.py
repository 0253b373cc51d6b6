#!/usr/bin/python
"""What the action plugin `wave` takes and returns; the plugin does the work, on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: wave
short_description: Say what a wave of a plan is
description:
  - Answers what the conditions of a role ask about a wave, from C(rollout.json) on the control node.
  - Runs as an action plugin; the node is not touched.
version_added: "0.1.0"
author: bayplan
options:
  plan:
    description: Folder of the plan on the control node.
    type: path
    required: true
  wave:
    description: Number of the wave. C(0) asks about the node and no wave.
    type: int
    default: 0
  back:
    description: Whether the wave is taken back, so that source and target change places.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Read the wave
  bayplan.fleet.wave:
    plan: "{{ playbook_dir }}"
    wave: 3
  register: wave
"""

RETURN = r"""
proxies:
  description: The edges whose proxy stands on the node.
  returned: without a wave
  type: list
  elements: str
items:
  description: How many services the wave touches on the node.
  returned: with a wave
  type: int
state:
  description: The state that M(bayplan.fleet.services) brings them into, where the kind of the wave decides it alone.
  returned: with a wave
  type: str
source:
  description: The node that services leave.
  returned: if it moves services
  type: str
target:
  description: The node that they go to.
  returned: if it moves services
  type: str
stateful:
  description: Whether there is data that only one writer may have.
  returned: if it moves services
  type: bool
stop_first:
  description: Whether they stop at the source before they start at the target.
  returned: if it moves services
  type: bool
carries:
  description: Whether volumes or folders go along.
  returned: if it moves services
  type: bool
moved:
  description: Whether they had left the source for good before this run.
  returned: if it moves services
  type: bool
edges:
  description: The upstreams that change, each with C(edge), C(upstream) and the C(node) of the proxy.
  returned: if it moves services
  type: list
  elements: dict
"""
