#!/usr/bin/python
"""Waits until services are what they should be, and the node is not too full; fails if that cannot be seen."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gate
short_description: Wait until services hold, or fail
description:
  - Reads effects, never exit codes. Every copy is there, runs, is healthy and stays so; the kernel enforces its limits;
    nothing was killed for lack of memory; the node is under its line, or not fuller than before.
  - What cannot be seen has failed.
version_added: "0.1.0"
author: bayplan
extends_documentation_fragment: [bayplan.fleet.common]
options:
  services:
    description:
      - What to wait for, each with C(project), C(service), C(copies), C(run) and C(limits). None only measures.
      - Those that an earlier run of the plan has done, by C(what) and C(step), are left to the last gate.
    type: list
    elements: dict
    default: []
  lines:
    description: How far the node may be filled, C(memory) in bytes and C(cpus) in thousandths. Without it nobody asks.
    type: dict
    default: {}
  reserve:
    description: What is kept for all that is not ours, counted under the line.
    type: dict
    default: {}
  charges:
    description: Service → what one copy is counted with where it has no limit.
    type: dict
    default: {}
  before:
    description: What an earlier call returned as C(measured). A node over its line may then stay there, but not grow.
    type: dict
    default: {}
  deadline:
    description: Seconds until it gives up.
    type: int
    default: 120
  stable_for:
    description: Seconds for which a container has to have run.
    type: float
    default: 3
  interval:
    description: Seconds between two looks.
    type: float
    default: 0.5
  look:
    description: Measure and ask for nothing. Read by the action plugin.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Wait until web is healthy and held to 64 MiB
  bayplan.fleet.gate:
    fleet: shop
    services:
      - {project: shop, service: web, copies: 1, run: always, limits: {memory: 67108864}}
"""

RETURN = r"""
measured:
  description: What is promised and used on the node, and how often the kernel killed in each container.
  returned: always
  type: dict
differences:
  description: What does not hold; on success nothing.
  returned: always
  type: list
  elements: str
seconds:
  description: How long it took.
  returned: always
  type: float
"""

import time
from typing import TYPE_CHECKING, Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.bayplan.fleet.plugins.module_utils import engine, hand, progress, state
from ansible_collections.bayplan.fleet.plugins.module_utils.containers import Kernel, fact, is_running, service_of
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import NodeError
from ansible_collections.bayplan.fleet.plugins.module_utils.measure import killed, measured, over
from ansible_collections.bayplan.fleet.plugins.module_utils.truth import wrong

if TYPE_CHECKING:
    from ansible_collections.bayplan.fleet.plugins.module_utils.hand import Hand

SPEC: dict[str, Any] = {
    "services": {"type": "list", "elements": "dict", "default": []},
    "lines": {"type": "dict", "default": {}},
    "reserve": {"type": "dict", "default": {}},
    "charges": {"type": "dict", "default": {}},
    "before": {"type": "dict", "default": {}},
    "deadline": {"type": "int", "default": 120},
    "stable_for": {"type": "float", "default": 3},
    "interval": {"type": "float", "default": 0.5},
    "look": {"type": "bool", "default": False},
}


def work(told: Hand) -> dict[str, Any]:
    """Wait, and say what was measured in the end."""
    start = time.monotonic()
    while True:
        found = look(told)
        found["seconds"] = round(time.monotonic() - start, 1)
        if not found["differences"]:
            break
        if found["seconds"] > told["deadline"]:
            words = "; ".join(found["differences"][:4])
            more = f" and {len(found['differences']) - 4} more" if len(found["differences"]) > 4 else ""  # noqa: PLR2004
            raise NodeError(f"after {found['seconds']:g} s this does not hold: {words}{more}", **found)
        time.sleep(told["interval"])
    if told["services"] and not told.checking:
        told.note("done", "gate", **{key: found["measured"][key] for key in ("committed", "usage")})
    return {"changed": False, **found}


def look(told: Hand) -> dict[str, Any]:
    """Look once: what was measured, and what does not hold."""
    kernel, asleep = Kernel.here(), state.asleep(told.home.state)
    names = {f"{one['project']}/{one['service']}" for one in told["services"]} | set(told["charges"])
    inspected = engine.of_projects({name.partition("/")[0] for name in names})
    running = [fact(one, kernel) for one in inspected if is_running(one)]
    now = measured([one for one in running if one["kernel"] is not None], told["charges"], told["reserve"])
    before = progress.done(told)
    wanting = [one for one in told["services"] if (str(one.get("what")), str(one.get("step"))) not in before]
    differences = [
        line
        for one in wanting
        for line in wrong(
            one,
            [some for some in inspected if service_of(some) == f"{one['project']}/{one['service']}"],
            kernel,
            told["stable_for"],
            asleep,
        )
    ]
    if told["before"] or wanting:
        differences += over(now, told["lines"], told["before"]) + killed(now, told["before"])
    return {"measured": now, "differences": differences, "lines": told["lines"], **now}


if __name__ == "__main__":
    hand.main(AnsibleModule, SPEC, work)
