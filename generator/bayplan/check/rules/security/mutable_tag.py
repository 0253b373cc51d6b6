"""Images whose name means another program tomorrow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.compose_lines import by_project, line, listed
from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

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
    moving = [
        (service, image.place)
        for service in survey.services
        if not service.build and (image := line(service, "image")) is not None and is_moving(image.string)
    ]
    for some in by_project(moving).values():
        first, place = some[0]
        count = f", as {len(some) - 1} more do" if len(some) > 1 else ""
        yield RULE.finding(
            place,
            first.name,
            f"runs whatever {first.image} means on the day it is pulled{count}",
            arithmetic=listed(some),
            remedy="name a version, or a digest: what was tested is then what runs",
            also=tuple(at for _, at in some[1:]),
        )


def is_moving(image: str) -> bool:
    """Whether an image has no digest, and no tag that stays what it is."""
    if "@" in image or "$" in image or not image:
        return False
    tag = image.rpartition("/")[2].partition(":")[2].lower()
    numbered = any(letter.isdigit() for letter in tag)
    moves = tag.startswith(("latest-", "nightly-")) or tag.endswith("-snapshot")
    return moves or (not numbered and not _MOVING.isdisjoint(tag.split("-")))
