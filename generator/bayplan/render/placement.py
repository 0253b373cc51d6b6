"""`placement.yml`: the decision, written like a lock file and read back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.errors import StaleError
from bayplan.finding import Finding, error
from bayplan.model.names import Instance, Name
from bayplan.model.placement import Placement, Seat
from bayplan.render.emit import emit
from bayplan.source import Node, read_yaml, shown

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA_VERSION = 1
FILE = "placement.yml"


def placement_text(placement: Placement, policy: str) -> str:
    """Return the text of `placement.yml`: a line for each copy, by name."""
    lines: dict[str, object] = {}
    for copy, seat in sorted(placement.seats.items()):
        lines[str(copy)] = {"node": seat.node, "gpus": list(seat.gpus)} if seat.gpus else seat.node
    header = (
        f"Where everything stands: the decision that `bayplan compile {policy}` renders from.\n"
        f"`bayplan plan {policy}` proposes changes; `bayplan compile --replan {policy}` takes them over."
    )
    return emit({"schema_version": SCHEMA_VERSION, "standing": lines}, header)


def read_placement(path: Path) -> tuple[Placement | None, tuple[Finding, ...]]:
    """Read a recorded decision; None if there is none.

    Raises:
        StaleError: if it was written by a newer version.
    """
    if not path.is_file():
        return None, ()
    node, findings = read_yaml(path, shown(path))
    version = node.get("schema_version") if node is not None else None
    if version is not None and isinstance(version.value, int) and version.value > SCHEMA_VERSION:
        msg = f"{shown(path)} was written by a newer bayplan (schema_version {version.value}); use that one"
        raise StaleError(msg)
    standing = node.get("standing") if node is not None else None
    if node is None or standing is None or not standing.is_map or version is None or version.value != SCHEMA_VERSION:
        where = node.place if node is not None else findings[0].place
        remedy = "restore the file, or decide anew: bayplan compile --replan"
        return None, (*findings, error("placement/unreadable", where, path.name, "is not a placement", remedy))
    seats, bad = {}, list(findings)
    for key, value in standing.items():
        try:
            seats[_instance(key)] = _seat(value)
        except ValueError as fault:
            bad.append(error("placement/unreadable", value.here, key, str(fault), "run: bayplan compile --replan"))
    return Placement(seats), tuple(bad)


def _instance(text: str) -> Instance:
    name, _, number = text.partition("#")
    return Instance(Name.parse(name), int(number or "1"))


def _seat(node: Node) -> Seat:
    if isinstance(node.value, str):
        return Seat(node.value)
    where, cards = node.get("node"), node.get("gpus")
    if where is None or not isinstance(where.value, str):
        msg = "names no node"
        raise ValueError(msg)
    return Seat(where.string, tuple(int(card.string) for card in cards or ()))
