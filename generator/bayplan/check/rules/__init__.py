"""The rules, one module each, found by where they lie: `family/what.py` has RULE and `check`."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import walk_packages
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bayplan.check.rule import Look, Rule


@cache
def every() -> tuple[tuple[Rule, Look], ...]:
    """Return all rules with their functions, by id."""
    modules = [import_module(one.name) for one in walk_packages(__path__, f"{__name__}.") if not one.ispkg]
    return tuple(sorted(((one.RULE, one.check) for one in modules), key=lambda pair: pair[0].id))
