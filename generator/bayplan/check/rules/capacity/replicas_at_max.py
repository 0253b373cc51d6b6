"""Services that may grow to more copies than there is room for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.growth import bounds
from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("capacity/replicas-at-max", Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service of which the most copies do not fit beside what surely runs."""
    for service, bound in bounds(survey):
        place = survey.settings_of(service, "scale", "max")
        yield RULE.finding(
            place.place if place else service.replicas.place,
            service.name,
            f"may grow to {service.replicas.maximum} copies, but {bound.what}",
            arithmetic=bound.arithmetic,
            paste=survey.paste_copies(survey.path_of(service, "scale"), {"max": bound.copies}),
            also=bound.also,
        )
