"""The plan: a value that the terminal, Markdown and JSON are all written from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bayplan.errors import Exit
from bayplan.plan.rollout import CONFIRM_WITHIN, KEEP_SOURCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.analyse.ledger import Ledger
    from bayplan.finding import Finding
    from bayplan.model.fleet import Fleet
    from bayplan.model.placement import Placement
    from bayplan.place import Conflict
    from bayplan.plan.change import Change
    from bayplan.plan.stages import Stage
    from bayplan.plan.steps import Wave


@dataclass(frozen=True, slots=True)
class Plan:
    """What is, what should be, and the way between.

    Attributes:
        policy: the policy folder as the user named it.
        as_is, to_be: the two fleets.
        before, after: their ledgers; `after` is the one that was wished for where it cannot hold.
        placement: where everything stands in the end, or None if that is impossible.
        changes: all changes, by service.
        stages: the changes cut into stages.
        waves: the order in which they are done; empty if there is none that is safe.
        findings: all findings, in order.
        conflicts: why it is impossible, one for each independent cause.
        relocked: the copies whose recorded decision the plan would change.
        facts: node → what was observed there, as digests, when the plan was made.
        confirm_within: seconds in which a risky step has to be confirmed.
        keep_source: seconds for which the source of a move keeps its data.
    """

    policy: str
    as_is: Fleet
    to_be: Fleet
    before: Ledger
    after: Ledger
    placement: Placement | None
    changes: tuple[Change, ...] = ()
    stages: tuple[Stage, ...] = ()
    waves: tuple[Wave, ...] = ()
    findings: tuple[Finding, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    relocked: Mapping[str, str] | None = None
    facts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    confirm_within: int = CONFIRM_WITHIN
    keep_source: int = KEEP_SOURCE

    @property
    def holds(self) -> bool:
        """Whether everything has its place and no finding is an error."""
        return self.placement is not None and not any(finding.is_error for finding in self.findings)

    @property
    def exit_code(self) -> Exit:
        """Return how the command ends: 0 if the plan holds, 3 if not."""
        return Exit.FINE if self.holds else Exit.VIOLATED

    def counts(self) -> dict[str, int]:
        """Return kind of change → how many, in the order of the kinds; kinds that do not occur are left out."""
        counts: dict[str, int] = {}
        for change in self.changes:
            counts[change.kind.value] = counts.get(change.kind.value, 0) + 1
        return dict(sorted(counts.items()))

    @property
    def unchanged(self) -> int:
        """Return how many services of TO-BE no change touches."""
        touched = {change.service for change in self.changes}
        return sum(1 for service in self.to_be.active() if service.name not in touched)


def digest(files: Mapping[str, str]) -> str:
    """Return the digest that names a plan: twelve hexadecimal digits of a sha256 over its inputs, by name."""
    total = hashlib.sha256()
    for name, text in sorted(files.items()):
        total.update(f"{name}\0{len(text)}\0{text}".encode())
    return total.hexdigest()[:12]
