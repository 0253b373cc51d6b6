"""node_facts: brings NVIDIA's library along, so that a node's cards are seen without anything installed there."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.bayplan.fleet.plugins.plugin_utils.cards import carried


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core ships no types
    """Hands the module the path of the library."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the module; a library that is named is taken instead."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        del tmp
        given = dict(self._task.args)
        if given.get("pynvml"):
            return {**result, **self._execute_module(module_args=given, task_vars=task_vars)}
        with carried(self) as path:
            told = {**given, **({"pynvml": path} if path else {})}
            return {**result, **self._execute_module(module_args=told, task_vars=task_vars)}
