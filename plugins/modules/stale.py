#!/usr/bin/python
"""What the action plugin `stale` takes and returns; the plugin does the work, on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: stale
short_description: Refuse a plan that the node has outlived
description:
  - Looks at the node with M(bayplan.fleet.node_facts) and compares what it finds with what the plan was made from.
  - Refuses what differs, an unfinished plan and a damaged journal, before anything is touched.
  - Runs as an action plugin; only the look itself runs on the node.
version_added: "0.1.0"
author: bayplan
options:
  plan:
    description: Folder of the plan on the control node.
    type: path
    required: true
  resume:
    description: Whether the plan may have been begun before.
    type: bool
    default: false
  back:
    description: Whether the plan is taken back. What it changed itself is then no reason to refuse.
    type: bool
    default: false
seealso:
  - module: bayplan.fleet.node_facts
"""

EXAMPLES = r"""
- name: Compare the node with what the plan was made from
  bayplan.fleet.stale:
    plan: "{{ playbook_dir }}"
"""

RETURN = r"""
facts:
  description: What node_facts found.
  returned: when the node could be looked at
  type: dict
keys:
  description: Part of the facts → digest.
  returned: when the node could be looked at
  type: dict
outcome:
  description: C(stale) if a new plan helps, C(held) if a person has to look.
  returned: on refusal
  type: str
"""
