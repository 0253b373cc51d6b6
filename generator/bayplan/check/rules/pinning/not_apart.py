"""Services that are never to share a core, and of which one at least may run on any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.apart import lines, parted
from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("pinning/not-apart", Severity.WARNING)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each two services that are to stand apart by cores, where nothing keeps them apart."""
    for pair in survey.pairs:
        if pair.common:
            continue
        place, also = lines(survey, pair)
        paste = parted(survey, pair)
        which = "neither is" if not pair.mine and not pair.theirs else "one is not"
        yield RULE.finding(
            place,
            pair.one.name,
            f"is never to share a core with {pair.others}, but on {pair.node.name} {which} confined to any",
            arithmetic=pair.shown(),
            remedy="" if paste else "give them cores of two sets, or one of them cores: exclusive",
            paste=paste,
            also=also,
        )
