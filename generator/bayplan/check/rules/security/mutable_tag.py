"""Images whose name means another program tomorrow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.compose_lines import by_project, line, listed
from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding, Place
    from bayplan.model.service import Service

RULE = Rule("security/mutable-tag", Severity.NOTE)
_MOVING = frozenset(
    {
        "", "alpha", "alpine", "beta", "canary", "current", "dev", "devel", "develop", "development", "edge", "head",
        "latest", "lts", "main", "mainline", "master", "next", "nightly", "prod", "production", "release", "rolling",
        "slim", "snapshot", "stable", "staging", "test", "testing", "trunk", "unstable",
    }
)  # fmt: skip
"""Words that say a branch or a variant; with a number beside them (`1.27-alpine`) they say a version of it."""


def check(survey: Survey) -> Iterator[Finding]:
    """Yield one finding for each project with images that have no tag, or one that moves."""
    moving = [(service, said) for service in survey.services if (said := _moving(survey, service)) is not None]
    names = {service.name: image for service, (image, _) in moving}
    for some in by_project((service, place) for service, (_, place) in moving).values():
        first, place = some[0]
        count = f", as {len(some) - 1} more do" if len(some) > 1 else ""
        does = "is built from" if first.build else "runs"
        yield RULE.finding(
            place,
            first.name,
            f"{does} whatever {names[first.name]} means on the day it is pulled{count}",
            arithmetic=listed(some),
            remedy="name a version, or a digest: what was tested is then what runs",
            also=tuple(at for _, at in some[1:]),
        )


def _moving(survey: Survey, service: Service) -> tuple[str, Place] | None:
    """Return the image that a service runs, or is built from as far as that is at hand, if it moves, and its place."""
    if not service.build:
        image = line(service, "image")
        return (service.image, image.place) if image is not None and is_moving(image.string) else None
    built = survey.images.get(service.name)
    first = built.stages[0] if built is not None else None
    moves = first is not None and first.base.lower() != "scratch" and is_moving(first.base)
    return (first.base, first.place) if first is not None and moves else None


def is_moving(image: str) -> bool:
    """Whether an image has no digest, and no tag that stays what it is."""
    if "@" in image or "$" in image or not image:
        return False
    tag = image.rpartition("/")[2].partition(":")[2].lower()
    numbered = any(letter.isdigit() for letter in tag)
    moves = tag.startswith(("latest-", "nightly-")) or tag.endswith("-snapshot")
    return moves or (not numbered and not _MOVING.isdisjoint(tag.split("-")))
