"""All ways out of a conflict, the cheapest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.place.conflict import bridges, larger, smaller

if TYPE_CHECKING:
    from bayplan.place.conflict.remedy import Case, Remedy

MOST = 5


def remedies(case: Case) -> tuple[Remedy, ...]:
    """Return the cheapest remedies of a conflict, each proven by a solve of its own; at most `MOST`.

    What costs more is not looked for once there are enough.
    """
    found: set[Remedy] = set()
    for ways in (bridges.bridges, smaller.smaller, larger.larger):
        if len(found) < MOST:
            found.update(ways(case))
    return tuple(sorted(found)[:MOST])
