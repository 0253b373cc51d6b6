"""A tuning that follows a limit that is not there: nothing is set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.mending import larger_limit
from bayplan.check.over_limit import limit_of
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model.quantity import MEMORY
from bayplan.tuning.recipes import RECIPES, follows_memory
from bayplan.tuning.settings import BUFFER_POOL, HEAP, MAXMEMORY, SHARED_BUFFERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.tuning.settings import Application

RULE = Rule("tuning/without-limit", Severity.WARNING)
_TIMES = {HEAP: 2, MAXMEMORY: 2, SHARED_BUFFERS: 4, BUFFER_POOL: 2}
"""Setting → how much more than it a container wants."""


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service with a tuning that needs a limit of memory, and without one."""
    for known in survey.applications:
        service = known.service
        if service.tuning is None or limit_of(known):
            continue
        if service.tuning.recipe not in RECIPES and not follows_memory(service.tuning):
            continue
        wanted = _wanted(known)
        yield RULE.finding(
            service.tuning.place,
            service.name,
            "is to follow its limit of memory, and has none: nothing of its tuning is set",
            remedy="give it limits: {memory: ...}" if not wanted else "",
            paste=larger_limit(survey, service, wanted) if wanted else "",
        )


def _wanted(known: Application) -> int:
    """Return a limit that is surely large enough: for what it sets already, or for what it is charged today."""
    service = known.service
    set_now = (one.amount * times for name, times in _TIMES.items() for one in known.all(name))
    charged = (one.amount for half in (service.requests, service.estimates) if (one := half.get(MEMORY)))
    return max((*set_now, *charged), default=0)
