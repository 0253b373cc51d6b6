"""Parts of an application's memory that each fit its limit, and together do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.mending import larger_limit, tuning_that_ends
from bayplan.check.over_limit import blamed, headroom, in_words, limit_of, parts
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model.units import show_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.tuning.settings import Application, Setting

RULE = Rule("tuning/parts-over-limit", Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service whose heap, page cache and other stated parts sum to more than its limit."""
    for known in survey.applications:
        some = _over(known)
        if not some:
            continue
        total, limit = sum(one.amount for one in some), limit_of(known)
        first, *others = sorted(some, key=lambda one: -one.amount)
        place, other = blamed(survey, known, first, total)
        named = " + ".join(f"{show_bytes(one.amount)} {one.name}" for one in some)
        yield RULE.finding(
            place,
            known.service.name,
            f"divides more memory than its limit of {show_bytes(limit)}: {', '.join(map(in_words, some))}",
            arithmetic=f"{named} = {show_bytes(total)} > {show_bytes(limit)}",
            remedy=f"or a limit of {show_bytes(total * 5 // 4)}",
            paste=tuning_that_ends(survey, known, first, lambda other: bool(_over(other) or headroom(other)))
            or larger_limit(survey, known.service, total * 5 // 4),
            also=(*(one.place for one in others), other),
        )


def _over(known: Application) -> tuple[Setting, ...]:
    some, limit = parts(known), limit_of(known)
    if not limit or any(one.amount >= limit for one in some):  # one alone is another finding
        return ()
    return some if sum(one.amount for one in some) > limit else ()
