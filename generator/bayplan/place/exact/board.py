"""The board: one CP-SAT model with a variable for each service and node, the number of copies there.

Counting copies instead of naming them takes the symmetry of replicas out of the search. Variables and constraints are
made in the order of names, so that the same input gives the same model and, with one worker, the same answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayplan.place.exact.solver import solver

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bayplan.model.names import Name
    from bayplan.place.constraints.problem import Problem

Expr = Any
"""A linear expression of CP-SAT, a variable or an int: classes of a late import, without a common type."""


class Board:
    """A model of a problem, with the variables that its answer is read from."""

    def __init__(self, problem: Problem) -> None:
        cp_model = solver()

        self.problem = problem
        self.model = cp_model.CpModel()
        self.nodes = [node.name for node in problem.nodes]
        self.copies = {service.name: service.replicas.count for service in problem.services}
        self.count: dict[tuple[Name, str], Expr] = {}
        self.variables: list[Expr] = []
        self._present: dict[tuple[Name, str], Expr] = {}
        self._seat_everyone()

    def _seat_everyone(self) -> None:
        """Make the variables; what has one node only is a number, which spares most of a fleet that stays."""
        refused = self.problem.refused()
        for name, copies in self.copies.items():
            left = [node for node in self.nodes if (name, node) not in refused]
            for node in left:
                alone = len(left) == 1
                self.count[name, node] = copies if alone else self.integer(copies, f"{name}@{node}")
            if len(left) != 1:
                self.model.add(self.total(self.count[name, node] for node in left) == copies)

    def integer(self, most: int, name: str) -> Expr:
        """Return a new variable from 0 to `most`."""
        self.variables.append(self.model.new_int_var(0, most, name))
        return self.variables[-1]

    def at(self, name: Name, node: str) -> Expr:
        """Return the number of copies of a service on a node: a variable, or a number where there is no choice."""
        return self.count.get((name, node), 0)

    def present(self, name: Name, node: str) -> Expr:
        """Return whether a service has a copy on a node, as 0 or 1."""
        number = self.at(name, node)
        if isinstance(number, int):
            return min(1, number)
        if self.copies[name] == 1:
            return number
        if (name, node) not in self._present:
            here = self.integer(1, f"{name} on {node}")
            self.model.add(number >= here)
            self.model.add(number <= self.copies[name] * here)
            self._present[name, node] = here
        return self._present[name, node]

    @staticmethod
    def total(parts: Iterable[Expr]) -> Expr:
        """Return the sum of expressions."""
        return sum(parts)
