"""Cores of a service that name none: a range that runs backwards, or a word in a Compose file's cpuset."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bayplan.analyse.cores import SHARED, cores_in, looks_like_cores
from bayplan.check.coreset import Said, said_of
from bayplan.check.paste import RESET
from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("pinning/unreadable", Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each line of a service, a pool or a tier that is meant as cores, and names none."""
    seen: set[Said] = set()
    for service in survey.services:
        said = said_of(survey, service)
        if said is None or said in seen or not (said.compose or looks_like_cores(said.word)):
            continue
        seen.add(said)
        wrong = [part.strip() for part in said.word.split(",") if not cores_in(part)]
        if not wrong:
            continue
        turned = ",".join(_turned(part.strip()) for part in said.word.split(","))
        yield RULE.finding(
            said.place,
            said.subject,
            f"'{wrong[0]}' names no cores",
            arithmetic=" > ".join(wrong[0].split("-")) if cores_in(_turned(wrong[0])) else "",
            remedy="write 2-3 or 0,4",
            paste=survey.paste(said.path, turned if cores_in(turned) else RESET if said.compose else SHARED),
        )


def _turned(part: str) -> str:
    """Return a range from its lower to its upper end."""
    found = re.fullmatch(r"(\d+)\s*-\s*(\d+)", part)
    return f"{found[2]}-{found[1]}" if found and int(found[1]) > int(found[2]) else part
