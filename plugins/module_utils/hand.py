"""One step at work on a node: its arguments, its journal, the lease that allows it, and how it says that it failed."""

from __future__ import annotations

import fcntl
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ansible_collections.bayplan.fleet.plugins.module_utils import journal, lease
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import LOCKED, NodeError
from ansible_collections.bayplan.fleet.plugins.module_utils.home import ROOT, Home

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ansible.module_utils.basic import AnsibleModule

COMMON: dict[str, Any] = {
    "fleet": {"type": "str", "required": True},
    "root": {"type": "path", "default": ROOT},
    "release_plan": {"type": "str", "default": ""},
    "run": {"type": "str", "default": ""},
    "plan": {"type": "str"},
    "wave": {"type": "int", "default": 0},
}
"""What every module takes. `plan` and `wave` are for the control node: who runs a module alone leaves them out."""
_PATIENCE = 30.0
"""How long to wait for a step that an earlier control process left at work."""


@dataclass(frozen=True)
class Hand:
    """What a module works with."""

    module: AnsibleModule
    home: Home

    def __getitem__(self, name: str) -> Any:
        """Return an argument."""
        return self.module.params[name]

    @property
    def plan(self) -> str:
        """Return the digest of the plan."""
        return str(self["release_plan"])

    @property
    def checking(self) -> bool:
        """Whether nothing may be touched."""
        return bool(self.module.check_mode)

    def note(
        self, event: str, what: str, step: str = "", service: str = "", data: dict[str, Any] | None = None, **more: Any
    ) -> dict[str, Any]:
        """Write a line to the journal and return it; `more` becomes part of its data."""
        fields = {"plan": self.plan, "run": self["run"], "step": step, "event": event, "what": what}
        return journal.append(self.home.journal, {**fields, "service": service, "data": {**(data or {}), **more}})

    @contextmanager
    def noted(self, what: str, step: str = "", service: str = "", **data: Any) -> Iterator[dict[str, Any]]:
        """Write a line before and after what is done in the block, which may add to the second one."""
        self.note("begin", what, step, service, data)
        found: dict[str, Any] = {}
        try:
            yield found
        except Exception as fault:
            self.note("failed", what, step, service, {"msg": str(fault), **found})
            raise
        self.note("done", what, step, service, found)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Hold the node while the block acts: no second step beside it, and the lease does not run out meanwhile."""
        if self.checking:
            yield
            return
        self.home.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        with alone(self.home), _renewing(self.home, str(self["run"])):
            yield


def main(make: Callable[..., AnsibleModule], spec: dict[str, Any], work: Callable[[Hand], dict[str, Any]]) -> None:
    """Run a module: read its arguments, do its work, and say what came of it.

    Args:
        make: AnsibleModule; Ansible wants to see it named in the module itself.
        spec: the arguments beside those that all modules take.
        work: what the module does; it returns what the module returns.
    """
    module = make(argument_spec={**COMMON, **spec}, supports_check_mode=True)
    try:
        hand = Hand(module, Home.of(module.params["root"], module.params["fleet"]))
        module.exit_json(**work(hand))
    except NodeError as fault:
        ending = {"outcome": fault.outcome} if fault.outcome else {}
        module.fail_json(msg=str(fault), **{"changed": False, **fault.data, **ending})
    except OSError as fault:
        remedy = "run this as root (become: true)" if isinstance(fault, PermissionError) else "see the node's disk"
        module.fail_json(msg=f"{fault.strerror or fault}: {fault.filename}; {remedy}", changed=False)


@contextmanager
def alone(home: Home) -> Iterator[None]:
    """Wait for a step that is still at work here: killing a control process does not end what it began on a node."""
    end = time.monotonic() + _PATIENCE
    with home.busy.open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as fault:
                if time.monotonic() > end:
                    raise NodeError(
                        "an earlier step is still at work on this node, though its control process may be gone",
                        "wait for it to end; its progress is in the journal",
                        LOCKED,
                    ) from fault
                time.sleep(0.2)
        yield


@contextmanager
def _renewing(home: Home, run: str) -> Iterator[None]:
    """Renew the lease of a run now and then: a long copy must not lose it."""
    lease.renewed(home.lock, run)
    found = lease.read(home.lock)
    pause = float(found["seconds"]) / 3 if found else 0.0
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(pause):
            with suppress(NodeError, OSError):
                lease.renewed(home.lock, run)

    worker = threading.Thread(target=renew, daemon=True)
    if pause:
        worker.start()
    try:
        yield
    finally:
        ended.set()
        if pause:
            worker.join()
