"""The one place that imports the solver, late and whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.interrupt import undisturbed

if TYPE_CHECKING:
    from types import ModuleType


def solver() -> ModuleType:
    """Return OR-Tools' CP-SAT module. Importing it takes a second, so only who solves does.

    Ctrl-C is held back meanwhile: C extensions turn it into an ImportError, and some modules swallow it.
    """
    with undisturbed():
        from ortools.sat.python import cp_model  # noqa: PLC0415 - see above

        return cp_model
