"""A RabbitMQ that slows its publishers only when its container is already dead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.over_limit import over_limit
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.tuning.settings import WATERMARK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("tuning/watermark-over-limit", Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each broker whose high watermark is its limit, or more."""
    message = "blocks publishers from {amount} on ({said}) in a limit of {limit}: it is killed before that"
    return over_limit(RULE, survey, lambda known: known.all(WATERMARK)[-1:], message)
