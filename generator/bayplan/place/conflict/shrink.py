"""The deletion filter: from all lines of an impossible policy to a set of which none can be spared.

A line that can be dropped while the rest stays impossible is no part of the cause. Small demands are tried first, so
that what is left tells the big ones. As dropping only loosens, several lines can be tried at once: if the rest stays
impossible without all of them, each of them would have been dropped alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bayplan.place.constraints.lines import GPU
from bayplan.place.exact import solve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bayplan.place.constraints.lines import Key, PolicyLine
    from bayplan.place.constraints.problem import Problem

_KINDS = (
    "demand",
    "pool",
    "port",
    "name",
    "address",
    "spread",
    "apart",
    "affinity",
    "group",
    "edge",
    "volume",
    "never",
    "static",
    "bind",
    "arch",
    "taint",
    "require",
    "nodes",
    "cores",
    "fixed",
    "gpus",
    "capacity",
)
"""Kinds of lines in the order in which they are tried: what a person would rather not read first."""
_CHUNKS = 8


@dataclass(slots=True)
class Budget:
    """How often the solver may be asked; what is left undone is called not proven."""

    left: int
    unknown: bool = False
    answers: dict[frozenset[Key], bool | None] = field(default_factory=dict)

    def feasible(self, problem: Problem) -> bool | None:
        """Return whether a problem has an answer; None if that is not known or may not be asked any more."""
        if problem.dropped not in self.answers:
            if self.left <= 0:
                self.unknown = True
                return None
            self.left -= 1
            self.answers[problem.dropped] = solve.feasible(problem)
        answer = self.answers[problem.dropped]
        self.unknown = self.unknown or answer is None
        return answer


def irreducible(problem: Problem, budget: Budget) -> tuple[PolicyLine, ...]:
    """Return lines that cannot hold together, while any of them less would; the problem must be impossible."""
    candidates = sorted(problem.all_lines(), key=lambda line: _rank(problem, line))
    size = -(-len(candidates) // _CHUNKS) or 1
    kept: list[PolicyLine] = []
    for start in range(0, len(candidates), size):
        problem = _spare(problem, candidates[start : start + size], budget, kept)
    return tuple(sorted(kept))


def _spare(problem: Problem, chunk: Sequence[PolicyLine], budget: Budget, kept: list[PolicyLine]) -> Problem:
    """Return the problem without those lines of the chunk that it stays impossible without."""
    trial = problem.without(line.key for line in chunk)
    if budget.feasible(trial) is False:
        return trial
    if len(chunk) == 1:
        kept.extend(chunk)
        return problem
    middle = len(chunk) // 2
    problem = _spare(problem, chunk[:middle], budget, kept)
    return _spare(problem, chunk[middle:], budget, kept)


def _rank(problem: Problem, line: PolicyLine) -> tuple[int, float, PolicyLine]:
    return _KINDS.index(line.kind), _weight(problem, line), line


def _weight(problem: Problem, line: PolicyLine) -> float:
    """Return a demand as a share of what the whole fleet has of the resource; cards weigh the most."""
    if line.kind != "demand":
        return 0
    if line.detail == GPU:
        return 1 + line.amount
    whole = sum(node.has(line.detail) for node in problem.nodes)
    return line.amount / whole if whole else 1
