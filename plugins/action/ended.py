"""ended: fails with the outcome by which a role's way back ended, and why the way forward did."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

_WORDS = {
    "rolled-back": "taken back, everything runs where it ran before",
    "held": "the data has left the source, so nothing was started there again; --resume goes on, rollback moves back",
}


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core ships no types
    """Fails, and says in `outcome` what a person or a program has to know."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Fail in words."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        del tmp
        failed = (task_vars or {}).get("ansible_failed_result") or {}
        outcome = str(self._task.args.get("outcome") or failed.get("outcome") or "")
        reason = self._task.args.get("because") or failed.get("msg") or "another node failed"
        ending = _WORDS.get(outcome, "")
        return {**result, "failed": True, "outcome": outcome, "msg": f"{reason}; {ending}" if ending else reason}
