"""What a plan is about to do, in lines: shown before anybody is asked to agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bayplan.render.playbook import nodes_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bayplan.rollout.bundle import Bundle


@dataclass(frozen=True, slots=True)
class Row:
    """One wave, told before it is run."""

    number: int
    stage: str
    kind: str
    services: int
    nodes: str
    restarts: int
    downtime: str
    undo: str
    why: str


_DOWNTIME = {
    "resize": "none, live",
    "start": "none",
    "stop": "gone after it",
    "rest": "until it is asked for",
    "scale": "none for copies that stay",
    "recreate": "one restart each",
}


def rows(bundle: Bundle, limit: Iterable[str] = ()) -> tuple[Row, ...]:
    """Return a row for each wave that touches the nodes in `limit`; all waves if it is empty."""
    only = set(limit)
    return tuple(_row(wave, only) for wave in bundle.waves if not only or only & set(nodes_of(wave)))


def _row(wave: Mapping[str, Any], only: set[str]) -> Row:
    items = items_of(wave, only)
    moves = wave["kind"] == "move"
    where = (
        f"{wave['source']} → {wave['target']}"
        if moves
        else ", ".join(n for n in nodes_of(wave) if not only or n in only)
    )
    return Row(
        number=int(wave["number"]),
        stage=str(wave["stage"]),
        kind=str(wave["kind"]),
        services=len(items),
        nodes=where,
        restarts=sum(int(item.get("restarts", 0)) for item in items),
        downtime=_move_downtime(wave) if moves else _DOWNTIME.get(str(wave["kind"]), ""),
        undo=next((str(item["undo"]) for item in items if item.get("undo")), ""),
        why=str(wave["why"]),
    )


def _move_downtime(wave: Mapping[str, Any]) -> str:
    if wave["stop_first"]:
        return "stopped before it is started: both do not fit"
    return "stop, last pass of the copy, start" if wave["stateful"] else "none: started before the old one stops"


def items_of(wave: Mapping[str, Any], only: Iterable[str] = ()) -> tuple[Mapping[str, Any], ...]:
    """Return the services that a wave touches, on some nodes or on all."""
    if wave["kind"] == "move":
        return tuple(wave["services"])
    chosen = set(only)
    return tuple(item for node, some in sorted(wave["nodes"].items()) if not chosen or node in chosen for item in some)


def cut_moves(bundle: Bundle, limit: Iterable[str]) -> tuple[str, ...]:
    """Return the moves that a limit would tear apart, in words."""
    only = set(limit)
    return tuple(
        f"wave {wave['number']} moves {', '.join(item['service'] for item in wave['services'])} "
        f"between {wave['source']} and {wave['target']}"
        for wave in bundle.waves
        if wave["kind"] == "move" and only & set(nodes_of(wave)) and not set(nodes_of(wave)) <= only
    )
