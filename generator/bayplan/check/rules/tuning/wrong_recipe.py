"""A recipe for another application than the image is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.tuning.images import RECIPES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("tuning/wrong-recipe", Severity.ERROR)
_FOR_MANY = "jvm"


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service that is known to be something else than its recipe is for."""
    for known in survey.applications:
        service, application = known.service, known.image.application
        said = service.tuning.recipe if service.tuning else ""
        if not application or said in ("", _FOR_MANY, RECIPES.get(application)):
            continue
        node, place = survey.settings_of(service, "tuning", "recipe"), service.tuning.place if service.tuning else None
        right = RECIPES.get(application, "")
        yield RULE.finding(
            node.place if node else place or service.place,
            service.name,
            f"has the recipe {said}, but runs {application} ({known.image.repository})",
            remedy="" if right else "take the recipe away, or say its options with tuning: {command: [...]}",
            paste=survey.paste(survey.path_of(service, "tuning", "recipe"), right) if right else "",
        )
