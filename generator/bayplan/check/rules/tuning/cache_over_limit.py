"""A database, or a cache, whose cache alone is as large as the limit of its container."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.over_limit import over_limit
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.tuning.settings import BUFFER_POOL, CACHE, PAGE_CACHE, SHARED_BUFFERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.tuning.settings import Application, Setting

RULE = Rule("tuning/cache-over-limit", Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each database or cache whose cache is its limit, or more."""
    message = "may keep {amount} in its cache ({said}) in a limit of {limit}: it is killed before the cache is full"
    return over_limit(RULE, survey, _caches, message)


def _caches(known: Application) -> tuple[Setting, ...]:
    found = (known.last(name) for name in (SHARED_BUFFERS, BUFFER_POOL, PAGE_CACHE, CACHE))
    return tuple(one for one in found if one is not None)
