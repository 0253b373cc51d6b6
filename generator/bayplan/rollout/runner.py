"""One playbook through ansible-runner: events as they come, and how it ended."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayplan.rollout.collection import collections_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to one task on one node.

    Attributes:
        kind: `ok`, `failed`, `unreachable`, `skipped`; `begin` when a task starts, `play` when a play does.
        node, play, task, action: where, and what.
        result: what the module returned.
        item: whether it is one turn of a loop.
        seconds: how long it took.
        ignored: whether the play goes on in spite of a failure.
    """

    kind: str
    node: str = ""
    play: str = ""
    task: str = ""
    action: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)
    item: bool = False
    seconds: float = 0.0
    ignored: bool = False

    @property
    def message(self) -> str:
        """Return what a failed or unreachable node said, on one line."""
        words = self.result.get("msg") or self.result.get("stderr") or "no reason given"
        return " ".join(str(words).split()).removeprefix("Task failed: ")


@dataclass(slots=True)
class Result:
    """How a playbook ended.

    Attributes:
        code: exit code of ansible-playbook; 130 if it was stopped.
        failed, unreachable: node → what it said, the first time.
        changed: node → how many tasks changed something.
        outcomes: the outcomes that roles name when they end early (`stale`, `locked`, `rolled-back`, `held`).
        returned: node → action → what it returned last.
    """

    code: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    unreachable: dict[str, str] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    outcomes: set[str] = field(default_factory=set)
    returned: dict[str, dict[str, Any]] = field(default_factory=dict)
    output: str = ""

    @property
    def stopped(self) -> bool:
        """Whether somebody stopped it."""
        return self.code == STOPPED


STOPPED = 130
_KINDS = {
    "runner_on_start": ("begin", False),
    "runner_on_ok": ("ok", False),
    "runner_on_failed": ("failed", False),
    "runner_on_unreachable": ("unreachable", False),
    "runner_on_skipped": ("skipped", False),
    "runner_item_on_ok": ("ok", True),
    "runner_item_on_failed": ("failed", True),
    "playbook_on_play_start": ("play", False),
}


def run(
    playbook: Path,
    inventory: Path | Mapping[str, Any],
    extravars: Mapping[str, Any] | None = None,
    on_event: Callable[[Event], None] | None = None,
    options: Sequence[str] = (),
) -> Result:
    """Run a playbook and return how it ended; it never raises for what happens on nodes.

    Args:
        playbook: its path.
        inventory: a file, or the inventory itself as data.
        extravars: variables of the run.
        on_event: is called with each event, in the order in which they come.
        options: further options of `ansible-playbook`.
    """
    import ansible_runner  # noqa: PLC0415 - takes a while to import, and most verbs never need it

    result = Result()

    def heard(raw: dict[str, Any]) -> bool:
        event = _event(raw)
        if event is not None:
            _count(result, event)
            if on_event is not None:
                on_event(event)
        return False  # nothing is kept on disk: events carry what nodes said

    with tempfile.TemporaryDirectory(prefix="bayplan-") as scratch, _stoppable() as stopped:
        ended = ansible_runner.run(
            private_data_dir=scratch,
            project_dir=str(playbook.parent),
            playbook=str(playbook),
            inventory=str(inventory) if isinstance(inventory, Path) else dict(inventory),
            extravars=dict(extravars or {}),
            envvars=_environment(),
            cmdline=" ".join(options) or None,
            event_handler=heard,
            cancel_callback=stopped.is_set,
            quiet=True,
        )
        result.output = _tail(ended)
        result.code = STOPPED if stopped.is_set() else int(ended.rc if ended.rc is not None else 1)
    return result


_SSH = "-o ControlMaster=auto -o ControlPersist=60s -o ServerAliveInterval=5 -o ServerAliveCountMax=4"
"""A node that is cut off in the middle of a step is found out after 20 seconds, not when TCP gives up."""


def _environment() -> dict[str, str]:
    """Return what ansible-playbook needs to find our collection, its own programs, and the user's configuration."""
    known = os.environ.get("ANSIBLE_COLLECTIONS_PATH", "~/.ansible/collections:/usr/share/ansible/collections")
    given = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "ANSIBLE_COLLECTIONS_PATH": f"{collections_path()}{os.pathsep}{known}",
        "ANSIBLE_PIPELINING": os.environ.get("ANSIBLE_PIPELINING", "True"),
        "ANSIBLE_FORKS": os.environ.get("ANSIBLE_FORKS", "20"),
        "ANSIBLE_NOCOLOR": "True",
        "ANSIBLE_SSH_ARGS": os.environ.get("ANSIBLE_SSH_ARGS", _SSH),
    }
    own = Path.cwd() / "ansible.cfg"
    if "ANSIBLE_CONFIG" not in os.environ and own.is_file():
        given["ANSIBLE_CONFIG"] = str(own)
    return given


@contextmanager
def _stoppable() -> Iterator[threading.Event]:
    """Turn Ctrl-C into a request: the run ends after the task at hand is cut, and its journal says how far it came."""
    stopped = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, lambda *_: stopped.set())
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _event(raw: Mapping[str, Any]) -> Event | None:
    kind, item = _KINDS.get(str(raw.get("event")), ("", False))
    if not kind:
        return None
    data = raw.get("event_data") or {}
    return Event(
        kind=kind,
        node=str(data.get("host", "")),
        play=str(data.get("play") or data.get("name") or ""),
        task=str(data.get("task", "")),
        action=str(data.get("resolved_action") or data.get("task_action") or ""),
        result=data.get("res") or {},
        item=item,
        seconds=float(data.get("duration") or 0),
        ignored=bool(data.get("ignore_errors")),
    )


def _count(result: Result, event: Event) -> None:
    if event.kind == "unreachable":
        result.unreachable.setdefault(event.node, event.message)
    if event.kind == "failed" and not event.ignored:
        result.failed.setdefault(event.node, event.message)
    if event.kind in ("ok", "failed") and not event.item:
        result.returned.setdefault(event.node, {})[event.action] = event.result
    if event.kind == "ok" and not event.item and event.result.get("changed"):
        result.changed[event.node] = result.changed.get(event.node, 0) + 1
    outcome = event.result.get("outcome")
    if outcome:
        result.outcomes.add(str(outcome))


_LAST = 4000


def _tail(ended: Any) -> str:
    """Return the end of what ansible-playbook printed: why it did not start is said only there."""
    with ended.stdout as stream:
        return str(stream.read())[-_LAST:]
