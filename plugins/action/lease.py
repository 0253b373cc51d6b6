"""lease: who runs this, and whether who held the lock before is known to be dead."""

from __future__ import annotations

from typing import Any

from ansible_collections.bayplan.fleet.plugins.plugin_utils.bundle import PlanAction, owner, started


class ActionModule(PlanAction):
    """Locks a node for this run; the lock of a process of this machine that has ended is taken over."""

    def told(self, data: dict[str, Any], node: str, given: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
        """Return the module's arguments with the owner."""
        del data, node, known
        return {**given, "owner": owner()}

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask for the lock, once more if its holder is a process of this machine that is no more."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        holder = result.get("holder") or {}
        if result.get("failed") and dead(holder.get("owner") or {}):
            self._task.args = {**self._task.args, "resume": True, "dead": holder.get("run", "")}
            result = super().run(tmp, task_vars)
        return result


def dead(holder: dict[str, Any]) -> bool:
    """Whether the process that held a lock ran on this machine and has ended."""
    if not holder.get("pid") or holder.get("host") != owner()["host"]:
        return False
    return started(int(holder["pid"])) != str(holder.get("since"))
