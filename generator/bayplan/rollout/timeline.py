"""Events as lines of a timeline: what happened, where, after how many seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from bayplan.model import units

if TYPE_CHECKING:
    from bayplan.rollout.runner import Event

Line = Callable[[str], None]


class Timeline:
    """Tells a run as it goes: a heading for each play, a line for each thing that changed or failed."""

    def __init__(
        self, say: Line, *, check: bool = False, diff: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._say, self._check, self._diff, self._clock = say, check, diff, clock
        self._start = clock()
        self._heading = ""

    def __call__(self, event: Event) -> None:
        """Tell one event, if it is worth a line."""
        if event.kind == "play":
            self._heading = event.play
            return
        if self._heading:  # a play that finds no node left begins nothing
            self._say(f"{self._at()}  {self._heading}")
            self._heading = ""
        if event.kind in ("failed", "unreachable"):
            if not event.ignored:
                self._tell(event.node, f"{event.kind}: {event.message}")
            return
        if event.kind == "ok":
            for line in lines(event, check=self._check):
                self._tell(event.node, line)
            if self._diff:
                for line in _diffs(event.result.get("diff")):
                    self._say(f"            {line}")

    def _at(self) -> str:
        return f"{self._clock() - self._start:7.1f} s"

    def _tell(self, node: str, words: str) -> None:
        self._say(f"{self._at()}    {node:<10} {words}")


def lines(event: Event, *, check: bool = False) -> list[str]:
    """Return what an event of one of our modules says, in words; other modules are not told."""
    action = event.action.removeprefix("bayplan.fleet.")
    told = _TOLD.get(action)
    return told({**event.result, "check": check}) if told else []


def _services(result: Mapping[str, Any]) -> list[str]:
    changed = [item for item in result.get("items") or () if item.get("changed")]
    done = str(result.get("state", "changed"))
    if result["check"]:
        return [f"{item['service']} would be {done}" for item in changed]
    if len(changed) > _MANY:
        seconds = sum(float(item.get("seconds") or 0) for item in changed)
        return [f"{len(changed)} services {done} in {seconds:.1f} s"]
    return [f"{item['service']} {done} in {float(item.get('seconds') or 0):.1f} s" for item in changed]


_MANY = 5


def _gate(result: Mapping[str, Any]) -> list[str]:
    committed, line = result.get("committed") or {}, result.get("lines") or {}
    if "memory" not in committed:
        return []
    words = f"gate: {units.show_bytes(int(committed['memory']))} promised"
    if line.get("memory"):
        words += f" of {units.show_bytes(int(line['memory']))}"
    used = (result.get("usage") or {}).get("memory")
    return [f"{words}, {units.show_bytes(int(used))} used" if used else words]


def _data(result: Mapping[str, Any]) -> list[str]:
    if "bytes" not in result:
        return []
    what = "last pass" if result.get("final") else "copied while it runs"
    return [f"{what}: {units.show_bytes(int(result['bytes']))} in {float(result.get('seconds') or 0):.1f} s"]


def _release(result: Mapping[str, Any]) -> list[str]:
    if not result.get("changed"):
        return []
    many = len(result.get("files") or ())
    return [f"{many} file{'s' if many != 1 else ''} brought" if many else "the release is the current one"]


def _proxy(result: Mapping[str, Any]) -> list[str]:
    if not result.get("changed"):
        return []
    return [f"proxy sends {result.get('upstream')} to {', '.join(result.get('servers') or ())}"]


_TOLD: dict[str, Callable[[Mapping[str, Any]], list[str]]] = {
    "services": _services,
    "gate": _gate,
    "data": _data,
    "release": _release,
    "proxy": _proxy,
}


def _diffs(diff: Any) -> list[str]:
    import difflib  # noqa: PLC0415 - only where a diff was asked for

    told: list[str] = []
    for one in diff if isinstance(diff, list) else [diff] if diff else []:
        before, after = str(one.get("before", "")), str(one.get("after", ""))
        names = str(one.get("before_header", "before")), str(one.get("after_header", "after"))
        told += [
            line.rstrip("\n")
            for line in difflib.unified_diff(before.splitlines(), after.splitlines(), *names, n=1, lineterm="")
        ]
    return told
