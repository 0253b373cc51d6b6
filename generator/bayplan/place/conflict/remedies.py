"""All ways out of a conflict, the cheapest first."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from bayplan.place.conflict import bridges, larger, smaller

if TYPE_CHECKING:
    from bayplan.place.conflict.remedy import Case, Remedy

MOST = 5


def remedies(case: Case) -> tuple[Remedy, ...]:
    """Return the cheapest remedies of a conflict, each proven by a solve of its own; at most `MOST`."""
    found = chain(bridges.bridges(case), smaller.smaller(case), larger.larger(case))
    return tuple(sorted(set(found))[:MOST])
