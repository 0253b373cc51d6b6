#!/usr/bin/python
"""The journal of a node: add a line, or read it and check its chain."""

from __future__ import annotations

DOCUMENTATION = r"""
module: journal
short_description: Write to a node's journal, or read it
description:
  - The journal is a file of JSON lines that are only ever added. Each holds the digest of the line before it.
version_added: "0.1.0"
author: bayplan
extends_documentation_fragment: [bayplan.fleet.common]
options:
  state:
    description: Whether to add a line or to read.
    type: str
    choices: [appended, read]
    default: appended
  event:
    description: What happened to it.
    type: str
    choices: [begin, done, failed, skipped, note]
    default: note
  what:
    description: What was done, as C(resize), C(copy) or C(finish).
    type: str
    default: ""
  step:
    description: The step of the plan.
    type: str
    default: ""
  service:
    description: The service as C(project/service).
    type: str
    default: ""
  data:
    description: Whatever else belongs to it.
    type: dict
    default: {}
  last:
    description: How many lines to read from the end; C(0) is all.
    type: int
    default: 0
"""

EXAMPLES = r"""
- name: Note the end
  bayplan.fleet.journal:
    fleet: shop
    what: finish
    event: done
"""

RETURN = r"""
line:
  description: The line that was added.
  returned: state=appended
  type: dict
lines:
  description: The lines that were read.
  returned: state=read
  type: list
  elements: dict
count:
  description: How many lines the journal has.
  returned: state=read
  type: int
valid:
  description: Whether the chain holds.
  returned: state=read
  type: bool
why:
  description: The first thing that is wrong with it.
  returned: state=read
  type: str
"""

from typing import TYPE_CHECKING, Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.bayplan.fleet.plugins.module_utils import hand, journal
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import NodeError

if TYPE_CHECKING:
    from ansible_collections.bayplan.fleet.plugins.module_utils.hand import Hand

SPEC: dict[str, Any] = {
    "state": {"type": "str", "choices": ["appended", "read"], "default": "appended"},
    "event": {"type": "str", "choices": ["begin", "done", "failed", "skipped", "note"], "default": "note"},
    "what": {"type": "str", "default": ""},
    "step": {"type": "str", "default": ""},
    "service": {"type": "str", "default": ""},
    "data": {"type": "dict", "default": {}},
    "last": {"type": "int", "default": 0},
}


def work(told: Hand) -> dict[str, Any]:
    """Add a line, or read."""
    if told["state"] == "read":
        found = journal.read(told.home.journal)
        lines = list(found.entries)[-told["last"] :]
        return {"changed": False, "lines": lines, "count": len(found.entries), "valid": not found.why, "why": found.why}
    if not told["what"]:
        raise NodeError("the line says nothing", "give it a `what`")
    if told.checking:
        return {"changed": True, "line": {}}
    told.home.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    return {
        "changed": True,
        "line": told.note(told["event"], told["what"], told["step"], told["service"], told["data"]),
    }


if __name__ == "__main__":
    hand.main(AnsibleModule, SPEC, work)
