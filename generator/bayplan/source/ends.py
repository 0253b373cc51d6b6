"""Where values end: what a tool needs that replaces one. Trees remember beginnings only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from bayplan.finding import Place

if TYPE_CHECKING:
    from collections.abc import Iterable

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def ends(text: str, places: Iterable[Place]) -> dict[Place, Place]:
    """Return where the scalars end that begin at places of a YAML text: place → the first place behind it.

    Scalars on several lines, and those with an anchor or a tag before them, are not there: who replaces one of them has
    to think. A text that cannot be read has none.
    """
    wanted = {(place.line, place.column): place for place in places}
    found: dict[Place, Place] = {}
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            if not isinstance(event, yaml.ScalarEvent) or event.anchor or event.tag:
                continue
            start, end = _position(event.start_mark), _position(event.end_mark)
            if start in wanted and start[0] == end[0]:
                found[wanted[start]] = Place(wanted[start].file, *end)
    except yaml.YAMLError:
        return {}
    return found


def _position(mark: Any) -> tuple[int, int]:
    return mark.line + 1, mark.column + 1
