"""Services that are never to share a core, and are confined to the same one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.apart import lines, parted
from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("pinning/same-core", Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each two services that are to stand apart by cores, and that name the same ones."""
    for pair in survey.pairs:
        if not pair.common:
            continue
        place, also = lines(survey, pair)
        paste = parted(survey, pair)
        all_ = "all" if pair.more else "both"
        yield RULE.finding(
            place,
            pair.one.name,
            f"is never to share a core with {pair.others}, but on {pair.node.name} {all_} run on {pair.common}",
            arithmetic=f"{pair.shown()} share {pair.common}",
            remedy="" if paste else "give them cores of two sets, and fewer CPUs if none has room",
            paste=paste,
            also=also,
        )
