"""The folder of a plan: what people read, what the hands read, and the files that the nodes get."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.render import data
from bayplan.render.markdown import plan_markdown
from bayplan.render.placement import FILE
from bayplan.render.playbook import inventory, playbook, rollback_playbook
from bayplan.render.rollout import rollout_data

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.plan.plan import Plan


def folder(plan: Plan, digest: str, compiled: Mapping[str, str]) -> dict[str, str]:
    """Return path → text of all that stands in the folder of a plan.

    Args:
        plan: the plan; one that does not hold can be read, and not rolled out.
        digest: its name.
        compiled: the compiled tree that it leads to.
    """
    texts = {"PLAN.md": plan_markdown(plan), "plan.json": data.text("plan", data.plan(plan))}
    if not plan.holds:
        return texts
    files = {path: text for path, text in compiled.items() if path != FILE}
    rollout = rollout_data(plan, digest, files)
    return {
        **texts,
        "rollout.json": data.document(rollout),
        "playbook.yml": playbook(rollout),
        "rollback.yml": rollback_playbook(rollout),
        "inventory.yml": inventory((node.name, node.address, node.connection) for node in plan.to_be.nodes.values()),
        **{f"files/{path}": text for path, text in files.items()},
    }
