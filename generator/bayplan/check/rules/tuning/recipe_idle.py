"""A recipe that sets nothing: the service starts with a script of its own, which may not pass options on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.tuning.command import words_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("tuning/recipe-idle", Severity.WARNING)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service whose recipe is options, and whose lines are not known to read any."""
    for known in survey.applications:
        service = known.service
        if not known.idle or service.tuning is None:
            continue
        node = survey.settings_of(service, "tuning", "recipe")
        starts = words_of(service.body.get("command")) or words_of(service.body.get("entrypoint"))
        recipe = service.tuning.recipe
        yield RULE.finding(
            node.place if node else service.tuning.place,
            service.name,
            f"has the recipe {recipe}, but starts with {starts[0]}, which is not known to pass options on: "
            "nothing is set",
            remedy=f"name the server in its command, or let the script read what tuning: {{recipe: {recipe}, "
            "environment: {...}} sets",
        )
