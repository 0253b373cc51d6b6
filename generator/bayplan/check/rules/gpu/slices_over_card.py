"""Cards that are cut into more slices than they can be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayplan.analyse.cards import slice_size
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model.units import GIB, show_bytes
from bayplan.source import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding, Place
    from bayplan.model.fleet import Gpu
    from bayplan.source import Node

RULE = Rule("gpu/slices-over-card", Severity.ERROR)
_MOST = 7
"""A card has seven slices of computing at most, one of them in a slice that is called `1g`."""
_ROUNDED = 1.05
"""The names of slices round up: what is called 80gb has 79 GiB."""


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each card whose slices are together more than the card, once for a line of the policy."""
    told: set[Place] = set()
    for name, node in sorted(survey.fleet.nodes.items()):
        for card in node.gpus:
            kept = _fitting(card)
            path, gpus = _written(survey, name)
            if len(kept) == len(card.mig) or gpus is None:
                continue
            line, paste = _amended(gpus, card.index, kept)
            if line.place in told:
                continue
            told.add(line.place)
            what = f"{card.model or 'card'} of {show_bytes(card.memory)}"
            yield RULE.finding(
                line.place,
                ".".join(path),
                f"is cut into {', '.join(card.mig)}: no {what} has all of them",
                arithmetic=_sum(card),
                paste=survey.paste(path, paste),
            )


def _sum(card: Gpu) -> str:
    """Return what is too much of the slices of a card: their VRAM, or else their parts."""
    sizes, parts = [slice_size(one) for one in card.mig], [_parts(one) for one in card.mig]
    if sum(sizes) * GIB > card.memory * _ROUNDED:
        return f"{' + '.join(map(str, sizes))} = {sum(sizes)} GiB > {show_bytes(card.memory)}"
    return f"{' + '.join(map(str, parts))} = {sum(parts)} > {_MOST} parts"


def _parts(profile: str) -> int:
    head = profile.partition("g")[0]
    return int(head) if head.isdigit() else 0


def _fitting(card: Gpu) -> list[str]:
    """Return the slices of a card up to the last that fits beside those before it."""
    kept: list[str] = []
    for one in card.mig:
        both = [*kept, one]
        if sum(map(slice_size, both)) * GIB <= card.memory * _ROUNDED and sum(map(_parts, both)) <= _MOST:
            kept = both
    return kept


def _written(survey: Survey, name: str) -> tuple[tuple[str, ...], Node | None]:
    """Return where the cards of a node are written: its own, or those of its shape."""
    path = survey.node_path(name)
    seen: set[tuple[str, ...]] = set()
    while path not in seen:
        seen.add(path)
        node = survey.at(*path)
        own = node.get("gpus") if node is not None and node.is_map else None
        if own is not None:
            return (*path, "gpus"), own
        shape = node.get("shape") or node.get("like") if node is not None and node.is_map else None
        if shape is None:
            break
        path = ("shapes", shape.string)
    return path, None


def _amended(gpus: Node, index: int, kept: Sequence[str]) -> tuple[Node, Any]:
    """Return the line of the slices of a card, and the cards with those that are kept."""
    if gpus.is_map:
        return gpus.get("mig") or gpus, {"mig": list(kept) or None}
    cards, first = plain(gpus), 0
    for number, item in enumerate(gpus):
        count = item.get("count")
        first += count.value if count is not None and isinstance(count.value, int) else 1
        if index < first:
            cards[number]["mig"] = list(kept)
            return item.get("mig") or item, cards
    return gpus, cards
