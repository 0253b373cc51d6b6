"""Everything that can be said before solving: independent causes, each relaxed so that the next one shows itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayplan.place.constraints.build import build
from bayplan.place.upfront import contradictions, disks, identity, quotas, sizes, taken
from bayplan.place.upfront.whereabouts import whereabouts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bayplan.finding import Finding
    from bayplan.model.fleet import Fleet
    from bayplan.place.constraints.lines import Key
    from bayplan.place.constraints.problem import Problem


@dataclass(frozen=True, slots=True)
class Upfront:
    """The problem with the contradictions taken out of it, and the findings that tell them."""

    problem: Problem
    findings: tuple[Finding, ...]


def upfront(fleet: Fleet) -> Upfront:
    """Return what is wrong whatever the solver does, and the problem that is left."""
    problem = build(fleet)
    findings: list[Finding] = [*quotas.quotas(fleet)]

    def relaxed(causes: Iterable[tuple[Finding, frozenset[Key]]]) -> Problem:
        found = list(causes)
        findings.extend(finding for finding, _ in found)
        return problem.without(key for _, keys in found for key in keys)

    problem = relaxed(identity.identities(fleet))
    problem = relaxed(sizes.sizes(problem))
    where = whereabouts(problem)
    problem = relaxed(disks.disks(problem, where))
    problem = relaxed(contradictions.against_holds(problem, where))
    problem = relaxed(contradictions.against_ties(problem, where))
    problem = relaxed(taken.taken(problem, where))
    return Upfront(problem, tuple(findings))
