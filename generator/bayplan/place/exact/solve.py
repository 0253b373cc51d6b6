"""Ask the solver: does a problem have an answer, and which is the best one, goal after goal.

One worker, a fixed seed and deterministic time instead of wall time: the same input gives the same answer on a fast
and on a slow machine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bayplan.place.exact.board import Board, Expr
from bayplan.place.exact.goals import TIES, goals
from bayplan.place.exact.overfull import overfull
from bayplan.place.exact.post_bills import post_capacity
from bayplan.place.exact.post_cards import GroupBoard, post_cards
from bayplan.place.exact.post_rules import post_rule
from bayplan.place.exact.solver import solver

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.model.names import Name
    from bayplan.model.placement import Placement
    from bayplan.place.constraints.problem import Problem
    from bayplan.place.exact.goals import Goal

FEASIBLE_EFFORT = 20.0
"""Deterministic seconds for the first answer, and for the proof that there is none."""
QUESTION_EFFORT = 1.0
"""Deterministic seconds for one of the many questions that a search for causes asks."""


@dataclass(frozen=True, slots=True)
class CardUse:
    """How one group of cards of a node is used: whole cards and slices by service, and each shared card."""

    node: str
    cards: tuple[int, ...]
    whole: Mapping[Name, int]
    slices: Mapping[Name, int]
    shares: tuple[Mapping[Name, int], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the solver.

    Attributes:
        feasible: True, False, or None if the effort was spent before it was known.
        counts: service → node → number of copies.
        cards: how the cards are used.
        stages: goal → (value, whether it is proven to be the least).
        variables: size of the model.
    """

    feasible: bool | None
    counts: Mapping[Name, Mapping[str, int]] = field(default_factory=dict)
    cards: tuple[CardUse, ...] = ()
    stages: Mapping[str, tuple[int, bool]] = field(default_factory=dict)
    variables: int = 0

    @property
    def proven(self) -> bool:
        """Whether every goal is proven; those that only choose among equals do not count."""
        return all(proven for name, (_, proven) in self.stages.items() if name not in TIES)


def feasible(problem: Problem) -> bool | None:
    """Return whether a problem has any answer; None if the effort was spent before that was known."""
    if overfull(problem):
        return False
    board = Board(problem)
    _post(board)
    return _Run(board, QUESTION_EFFORT).feasible


def best(problem: Problem, previous: Placement | None) -> Answer:
    """Return the best answer: each goal is brought to its least value and held there for the goals after it."""
    if overfull(problem):
        return Answer(feasible=False)
    board = Board(problem)
    groups = _post(board)
    run = _Run(board, FEASIBLE_EFFORT)
    stages: dict[str, tuple[int, bool]] = {}
    if not run.feasible:
        return Answer(run.feasible, variables=len(board.variables))
    for goal in goals(board, groups, previous):
        run = _improve(board, goal, run, stages)
    return _read(board, groups, run, stages)


def _post(board: Board) -> list[GroupBoard]:
    problem = board.problem
    for rule in problem.active():
        post_rule(board, rule)
    for node in problem.nodes:
        for resource in problem.resources:
            post_capacity(board, node, resource)
    return [group for node in problem.nodes for group in post_cards(board, node)]


def _improve(board: Board, goal: Goal, last: _Run, stages: dict[str, tuple[int, bool]]) -> _Run:
    """Minimise one more goal, starting from the last answer, and hold what was reached."""
    last = _completed(board, last)
    _hint(board, last)
    board.model.minimize(goal.cost)
    run = _Run(board, goal.effort)
    board.model.clear_objective()
    kept = run if run.feasible else last
    reached = kept.value(goal.cost)
    board.model.add(goal.cost <= reached)
    stages[goal.name] = (reached, run.proven)
    return kept


def _completed(board: Board, last: _Run) -> _Run:
    """Return the last answer with a value for the variables that were added since."""
    if last.known == len(board.variables):
        return last
    _hint(board, last)
    # Without this objective the new variables could be as large as they like.
    board.model.minimize(board.total(board.variables[last.known :]))
    return _Run(board, FEASIBLE_EFFORT, fixed=True)


def _hint(board: Board, last: _Run) -> None:
    board.model.clear_hints()
    for variable in board.variables[: last.known]:
        board.model.add_hint(variable, last.value(variable))


class _Run:
    """One call of the solver, with what it found."""

    def __init__(self, board: Board, effort: float, *, fixed: bool = False) -> None:
        cp_model = solver()

        self._solver = cp_model.CpSolver()
        self._solver.parameters.num_workers = 1
        self._solver.parameters.random_seed = 1
        self._solver.parameters.max_deterministic_time = effort
        self._solver.parameters.fix_variables_to_their_hinted_value = fixed
        # The solver would take Ctrl-C for itself, and leave the program without a handler.
        self._solver.parameters.catch_sigint_signal = False
        status = self._solver.solve(board.model)
        known = {cp_model.OPTIMAL: True, cp_model.FEASIBLE: True, cp_model.INFEASIBLE: False}
        self.feasible: bool | None = known.get(status)
        self.proven = status == cp_model.OPTIMAL
        self.known = len(board.variables)

    def value(self, expression: Expr) -> int:
        """Return the value of an expression in the answer."""
        return int(self._solver.value(expression))


def _read(board: Board, groups: list[GroupBoard], run: _Run, stages: Mapping[str, tuple[int, bool]]) -> Answer:
    counts: dict[Name, dict[str, int]] = {}
    for (name, node), variable in board.count.items():
        number = run.value(variable)
        if number:
            counts.setdefault(name, {})[node] = number
    used = tuple(_used(group, run) for group in groups)
    return Answer(run.feasible, counts, used, stages, len(board.variables))


def _used(found: GroupBoard, run: _Run) -> CardUse:
    def taken(variables: Mapping[Name, Expr]) -> dict[Name, int]:
        return {name: number for name, one in variables.items() if (number := run.value(one))}

    shares = tuple(users for card in found.shares if (users := taken(card)))  # alike, so the first ones will do
    return CardUse(found.group.node, found.group.cards, taken(found.whole), taken(found.slices), shares)
