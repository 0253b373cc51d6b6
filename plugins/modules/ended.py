#!/usr/bin/python
"""What the action plugin `ended` takes and returns; the plugin does the work, on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ended
short_description: Fail with the outcome of a way back
description:
  - The last task of a rescue. Says how the way back ended and why the way forward did.
  - Always fails. Runs as an action plugin; the node is not touched.
version_added: "0.1.0"
author: bayplan
options:
  outcome:
    description:
      - C(rolled-back) if everything runs where it ran before, C(held) if a person has to decide.
      - Without it, the outcome of the task that failed.
    type: str
    choices: [rolled-back, held]
  because:
    description: Why the way forward ended. Without it, what the task said that failed.
    type: str
"""

EXAMPLES = r"""
- name: Say how it ended
  bayplan.fleet.ended:
    outcome: rolled-back
"""

RETURN = r"""
outcome:
  description: The outcome as it was given.
  returned: always
  type: str
"""
