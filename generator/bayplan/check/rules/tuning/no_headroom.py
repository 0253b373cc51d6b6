"""Settings that take nearly all of a limit: what runs beside the heap or the cache has no room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.mending import larger_limit, tuning_that_ends
from bayplan.check.over_limit import blamed, headroom, in_words, limit_of
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model.units import show_bytes, show_share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("tuning/no-headroom", Severity.WARNING)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service whose settings leave less than a tenth of its limit, and less than 512 MiB."""
    for known in survey.applications:
        some = headroom(known)
        if not some:
            continue
        taken, limit = sum(one.amount for one in some), limit_of(known)
        first = max(some, key=lambda one: one.amount)
        place, other = blamed(survey, known, first, taken)
        yield RULE.finding(
            place,
            known.service.name,
            f"leaves {show_bytes(limit - taken)} of its limit beside {' and '.join(map(in_words, some))}",
            arithmetic=f"{' + '.join(show_bytes(one.amount) for one in some)} of {show_bytes(limit)} = "
            f"{show_share(taken, limit)}",
            remedy=f"or a limit of {show_bytes(taken * 4 // 3)}",
            paste=tuning_that_ends(survey, known, first, lambda other: bool(headroom(other)))
            or larger_limit(survey, known.service, taken * 4 // 3),
            also=(other,),
        )
