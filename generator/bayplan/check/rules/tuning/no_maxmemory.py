"""A Redis without a bound of its own: it grows until its container is killed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.over_limit import limit_of
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model.quantity import MEMORY
from bayplan.model.units import show_bytes
from bayplan.tuning.command import is_own_script, words_of
from bayplan.tuning.images import REDIS, VALKEY
from bayplan.tuning.settings import MAXMEMORY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.tuning.settings import Application

RULE = Rule("tuning/no-maxmemory", Severity.NOTE)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a note for each Redis with a limit, and nothing that tells it of it."""
    for known in survey.applications:
        service = known.service
        if known.image.application not in (REDIS, VALKEY) or not limit_of(known) or service.tuning is not None:
            continue
        if not _told(known):
            yield RULE.finding(
                service.limits[MEMORY].place,
                service.name,
                f"knows nothing of its limit of {show_bytes(limit_of(known))}: without maxmemory it grows until it is "
                "killed",
                paste=survey.paste(survey.path_of(service, "tuning"), "redis"),
            )


def _told(known: Application) -> bool:
    """Whether something sets maxmemory, or may: a file of its own, or a script."""
    said = known.all(MAXMEMORY)
    if said or is_own_script(known.service.body):
        return not said or any(one.amount for one in said)
    words = " ".join(words_of(known.service.body.get("command")))
    return "maxmemory" in words or ".conf" in words or "--include" in words
