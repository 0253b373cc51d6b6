"""How far a plan came on this node in earlier runs, by its journal: a resumed plan does not do its steps twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.bayplan.fleet.plugins.module_utils import journal

if TYPE_CHECKING:
    from ansible_collections.bayplan.fleet.plugins.module_utils.hand import Hand

_BACK = ("rollback", "restore")


def done(hand: Hand) -> set[tuple[str, str]]:
    """Return what and step id of all that earlier runs of this plan have done here; none once it was taken back."""
    found: set[tuple[str, str]] = set()
    if not hand.plan:
        return found
    for line in journal.read(hand.home.journal).entries:
        if line.get("plan") != hand.plan or line.get("event") != "done":
            continue
        if line.get("what") in _BACK:
            found = set()
        elif line.get("run") != hand["run"] and line.get("step"):
            found.add((str(line.get("what")), str(line["step"])))
    return found
