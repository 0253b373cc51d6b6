"""What is said about a policy, ready for a reader elsewhere: places as the repository calls them, errors first."""

from __future__ import annotations

import os.path
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from bayplan.finding import NOWHERE, Finding, Place, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bayplan.pages import Page


@dataclass(frozen=True, slots=True)
class Report:
    """The findings of one check.

    Attributes:
        fleet: name of the fleet.
        environment: name of the environment.
        findings: errors first, then by place.
        pages: what is written about each rule, by id.
    """

    fleet: str
    environment: str
    findings: tuple[Finding, ...]
    pages: Mapping[str, Page]

    def many(self, severity: Severity) -> int:
        """Return how many findings of a severity there are."""
        return sum(one.severity is severity for one in self.findings)

    @property
    def counts(self) -> str:
        """Return `2 errors, 1 warning`, or `no findings`."""
        return counted({severity: self.many(severity) for severity in Severity})


def counted(many: Mapping[Severity, int]) -> str:
    """Return numbers of findings in words: `2 errors, 1 warning`; `no findings` if there are none."""
    parts = [f"{many[one]} {one.value}{'s' if many[one] > 1 else ''}" for one in Severity if many.get(one)]
    return ", ".join(parts) or "no findings"


def ranked(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings with errors first, then warnings and notes, each in the order of the files."""
    return tuple(sorted(findings, key=lambda one: (one.severity.rank, one.sort_key)))


def rooted(finding: Finding, here: Path, root: Path) -> Finding:
    """Return a finding whose files are called as seen from the root of the repository.

    Args:
        finding: its files are relative to `here`, or absolute.
        here: where the command was started.
        root: the root of the repository; files elsewhere get their whole path.
    """
    also = tuple(place_of(place, here, root) for place in finding.also)
    return replace(finding, place=place_of(finding.place, here, root), also=also)


def place_of(place: Place, here: Path, root: Path) -> Place:
    """Return a place in a file that is called as seen from the root of the repository; see `rooted`."""
    if place == NOWHERE:
        return place
    return place._replace(file=_called(place.file, here, root))


@lru_cache(maxsize=1024)
def _called(file: str, here: Path, root: Path) -> str:
    """Return what a file is called; thousands of findings may name the same few."""
    whole = Path(os.path.normpath(here / file))
    return whole.relative_to(root).as_posix() if whole.is_relative_to(root) else str(whole)
