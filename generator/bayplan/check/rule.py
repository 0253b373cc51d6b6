"""A rule: its id, how much it matters, and the function that looks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayplan.check.survey import Survey
from bayplan.finding import Finding, Severity

if TYPE_CHECKING:
    from bayplan.finding import Place

Look = Callable[[Survey], Iterator[Finding]]
"""Looks over a fleet and yields what it finds; it visits everything a bounded number of times."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What every module of `bayplan.check.rules` has as RULE, beside the function `check` that is its `Look`.

    Attributes:
        id: `family/what`; its page is `docs/rules/family/what.md`.
        severity: how much a finding of it matters.
        strict: how much it matters under `--strict`, if that is another thing.
    """

    id: str
    severity: Severity
    strict: Severity | None = None

    def finding(
        self,
        place: Place,
        subject: object,
        message: str,
        *,
        arithmetic: str = "",
        remedy: str = "",
        paste: str = "",
        write: str = "",
        also: tuple[Place, ...] = (),
    ) -> Finding:
        """Return a finding of this rule; see `bayplan.finding.Finding` for what the parts are."""
        return Finding(
            self.id, self.severity, place, str(subject), message, arithmetic, remedy, also, paste=paste, write=write
        )
