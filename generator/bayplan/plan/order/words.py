"""What a wave is about, as a person would name a play."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.model import units
from bayplan.plan.steps import Act

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bayplan.model.names import Name
    from bayplan.plan.steps import Move, Step

_NAMES = 3
DOWNTIME = {
    Act.RESIZE: "none: live",
    Act.REST: "until it is asked for",
    Act.STOP: "it is gone",
    Act.SCALE: "none for the copies that stay",
    Act.RECREATE: "one restart",
    Act.MOVE: "stop, last copy of the data, start",
    Act.START: "none",
}
UNDO = {
    Act.RESIZE: "the old limits, live",
    Act.REST: "start it and keep it running",
    Act.STOP: "start it from the old file",
    Act.SCALE: "the old number of copies",
    Act.RECREATE: "recreate from the old file",
    Act.MOVE: "move it back",
    Act.START: "stop it",
}


def why(act: Act, nodes: Mapping[str, Sequence[Step]], *, again: bool) -> str:
    """Return the words of a wave on single nodes.

    Args:
        act: what is done.
        nodes: node → steps.
        again: whether an earlier wave of the stage did the same to others.
    """
    steps = [step for some in nodes.values() for step in some]
    if act is Act.RESIZE:
        order = "now that there is room" if again else "what frees room first"
        return f"{_many(nodes, 'limit')}, live{f'; {order}' if len(steps) > 1 or again else ''}"
    if act is Act.REST:
        rest = "rest until they are asked for" if len(steps) > 1 else "rests until it is asked for"
        return f"{_many(nodes, 'service')} {rest}{_order(steps, 'who needs others before them')}"
    if act is Act.RECREATE:
        return f"{_many(nodes, 'service')} anew, with new settings{_order(steps, 'who is needed first')}"
    if act is Act.STOP:
        reasons = {step.why for step in steps}
        said = f": {reasons.pop()}" if len(reasons) == 1 and "" not in reasons else ""
        return f"stop {_named(steps)}{_on(nodes)}{said}"
    if act is Act.SCALE:
        return f"scale {_named(steps)}{_on(nodes)} to {_copies(steps)}"
    return f"start {_named(steps)}{_on(nodes)}{_order(steps, 'who is needed first')}"


def halt(nodes: Mapping[str, Sequence[Step]], back: int, others: Iterable[Name]) -> str:
    """Return the words of a stop that makes room for others, until a later wave starts the stopped service again."""
    steps = [step for some in nodes.values() for step in some]
    so = listed(tuple(others)) or "others"
    return f"stop {_named(steps)}{_on(nodes)} until wave {back}, so that {so} can pass: no order has room for both"


def move(one: Move) -> str:
    """Return the words of a move."""
    carried = f" with {units.show_bytes(one.bytes)}" if one.bytes else " with its data" if one.volumes else ""
    reasons = list(dict.fromkeys(step.why for step in one.steps if step.why))
    said = f": {reasons[0]}" if reasons else ""
    return f"{_named(one.steps)} from {one.source} to {one.target}{carried}{said}"


def move_downtime(since: int, *, stateful: bool) -> str:
    """Return what users notice of a move; `since` is the wave that has stopped it, or 0."""
    if since:
        return f"since wave {since}, until it runs on the target"
    return DOWNTIME[Act.MOVE] if stateful else "none: both run until requests go to the new one"


def listed(names: Sequence[Name]) -> str:
    """Return `shop/a, b and c`, `shop/a, b, c and 4 more`; the project is said once if it is the same."""
    if not names:
        return ""
    same = all(name.project == names[0].project for name in names)
    shown = [str(names[0]), *((name.name if same else str(name)) for name in names[1:_NAMES])]
    if len(names) > _NAMES:
        return f"{', '.join(shown)} and {len(names) - _NAMES} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _named(steps: Sequence[Step]) -> str:
    return listed(tuple(dict.fromkeys(step.service for step in steps)))


def _many(nodes: Mapping[str, Sequence[Step]], what: str) -> str:
    """Return `53 limits on thanos and 23 on starlord`; who is alone is named."""
    steps = [step for some in nodes.values() for step in some]
    if len(steps) == 1:
        return f"{'limits of ' if what == 'limit' else ''}{steps[0].service} on {steps[0].node}"
    largest = sorted(nodes.items(), key=lambda item: (-len(item[1]), item[0]))
    counted = [f"{len(some)} {what}{'s' if len(some) > 1 else ''} on {node}" for node, some in largest[:1]]
    counted += [f"{len(some)} on {node}" for node, some in largest[1:]]
    return counted[0] if len(counted) == 1 else f"{', '.join(counted[:-1])} and {counted[-1]}"


def _on(nodes: Mapping[str, Sequence[Step]]) -> str:
    return f" on {', '.join(sorted(nodes))}"


def _order(steps: Sequence[Step], words: str) -> str:
    return f"; {words}" if len(steps) > 1 else ""


def _copies(steps: Sequence[Step]) -> str:
    return ", ".join(sorted({str(step.copies) for step in steps}))
