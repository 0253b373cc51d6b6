"""Everything that can be said before solving: independent causes, each relaxed so that the next one shows itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bayplan.place.constraints.build import build
from bayplan.place.upfront import contradictions, disks, identity, quotas, sizes, taken
from bayplan.place.upfront.whereabouts import whereabouts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bayplan.finding import Finding
    from bayplan.model.fleet import Fleet
    from bayplan.place.constraints.lines import Key
    from bayplan.place.constraints.problem import Problem


@dataclass(frozen=True, slots=True)
class Upfront:
    """The problem with the contradictions taken out of it, the findings that tell them, and their lines."""

    problem: Problem
    findings: tuple[Finding, ...]
    lines: Mapping[Finding, frozenset[Key]] = field(default_factory=dict)

    @property
    def errors(self) -> frozenset[tuple[str, str]]:
        """Return rule and subject of each finding that stops a plan."""
        return frozenset((one.rule, one.subject) for one in self.findings if one.is_error)


def upfront(fleet: Fleet) -> Upfront:
    """Return what is wrong whatever the solver does, and the problem that is left."""
    problem = build(fleet)
    findings: list[Finding] = [*quotas.quotas(fleet)]
    lines: dict[Finding, frozenset[Key]] = {}

    def relaxed(causes: Iterable[tuple[Finding, frozenset[Key]]]) -> Problem:
        found = list(causes)
        findings.extend(finding for finding, _ in found)
        lines.update(found)
        return problem.without(key for _, keys in found for key in keys)

    problem = relaxed(identity.identities(fleet))
    problem = relaxed(sizes.sizes(problem))
    where = whereabouts(problem)
    problem = relaxed(disks.disks(problem, where))
    problem = relaxed(contradictions.against_holds(problem, where))
    problem = relaxed(contradictions.against_ties(problem, where))
    problem = relaxed(taken.taken(problem, where))
    return Upfront(problem, tuple(findings), lines)
