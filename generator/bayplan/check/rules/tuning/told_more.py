"""A database that reckons with more memory than its container has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.mending import larger_limit, tuning_that_ends
from bayplan.check.over_limit import blamed, in_words, limit_of
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model.units import show_bytes, show_share
from bayplan.tuning.settings import CACHE_SIZE, MAINTENANCE, SHARED_BUFFERS, TOLD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.tuning.settings import Application, Setting

RULE = Rule("tuning/told-more", Severity.WARNING)
_MEANS = {
    CACHE_SIZE: "plans its queries as if {amount} were cached",
    MAINTENANCE: "may take {amount} for one index or one vacuum",
    TOLD: "is tuned for a machine of {amount}",
}

_PARTS = 4
"""How much more than one piece of work a container wants; what is cached may be all of it."""


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service that is told of more memory than its limit, or of a piece of work as large."""
    for known in survey.applications:
        for name, means in _MEANS.items():
            setting = _over(known, name)
            if setting is not None:
                yield _finding(survey, known, setting, means)


def _finding(survey: Survey, known: Application, setting: Setting, means: str) -> Finding:
    amount, limit = setting.amount, limit_of(known)
    place, other = blamed(survey, known, setting)
    enough = amount * (_PARTS if setting.name == MAINTENANCE else 1)
    return RULE.finding(
        place,
        known.service.name,
        f"{means.format(amount=show_bytes(amount))} ({in_words(setting)}), in a limit of {show_bytes(limit)}",
        arithmetic=f"{show_bytes(amount)} > {show_bytes(limit)} ({show_share(amount, limit)})",
        remedy=f"or a limit of {show_bytes(enough)}",
        paste=tuning_that_ends(survey, known, setting, lambda one: _over(one, setting.name) is not None)
        or larger_limit(survey, known.service, enough),
        also=(other,),
    )


def _over(known: Application, name: str) -> Setting | None:
    setting, limit, buffers = known.last(name), limit_of(known), known.last(SHARED_BUFFERS)
    full = buffers is not None and buffers.amount >= limit  # another finding, and what ends it ends this one
    return setting if setting is not None and 0 < limit < setting.amount and not full else None
