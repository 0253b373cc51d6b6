"""A claimed value against the truth."""

from __future__ import annotations

import re
from fractions import Fraction

from bayplan.model import units
from bayplan.policy.values import amount_of
from bayplan.source import Node

_BOUND = re.compile(r"\s*(<=|>=|<|>)?\s*(.+?)\s*(?:\.\.\s*(.+?))?\s*")


def holds(node: Node, kind: str, truth: int) -> bool:
    """Return whether a truth is what a claim says: a number, `<= x` or `a..b`.

    A number holds if rounding or cutting the truth to the digits that are written gives it: 62 % for 62.5 is right.

    Raises:
        UnitError: if the claim is no amount of its kind.
    """
    found = _BOUND.fullmatch(node.string)
    if found is None:
        return False
    sign, first, last = found[1], _amount(kind, node, found[2]), found[3]
    if last is not None:
        return first <= truth <= _amount(kind, node, last)
    if sign:
        return {"<=": truth <= first, ">=": truth >= first, "<": truth < first, ">": truth > first}[sign]
    return truth == first or _rounds_to(found[2], kind, node, truth)


def _amount(kind: str, node: Node, text: str) -> int:
    if kind == "services":
        if not text.isdigit():
            raise units.UnitError(f"'{text}' is not a whole number")
        return int(text)
    return amount_of(kind, Node(int(text) if text.isdigit() else text, node.place, text=text))


def _rounds_to(text: str, kind: str, node: Node, truth: int) -> bool:
    """Whether rounding or cutting the truth to the digits that are written gives what is written."""
    digits = re.match(r"\d+(?:\.(\d+))?", text)
    if digits is None or kind == "services" or not Fraction(digits[0]):
        return False
    # From the unit itself: the claimed amount was rounded to whole bytes.
    many = 10 ** len(digits[1] or "")
    step = Fraction(_amount(kind, node, f"1{text[digits.end() :]}"), many)
    cut = (truth / step).__floor__()
    rounded = (truth / step + Fraction(1, 2)).__floor__()
    return Fraction(digits[0]) * many in (cut, rounded)
