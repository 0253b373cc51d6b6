"""How numbers of claims are rounded, and written with so many digits."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import ceil, floor

Rounding = Callable[[Fraction], int]


def decimal(number: int, digits: int) -> str:
    """Return a number of steps, each a digit at this place after the point, without zeros at the end."""
    whole, part = divmod(abs(number), 10**digits)
    text = f"{whole}.{part:0{digits}d}".rstrip("0").rstrip(".") if digits else str(whole)
    return f"-{text}" if number < 0 else text


def half(number: Fraction) -> int:
    """Round to the nearest, halves away from zero."""
    return floor(number + Fraction(1, 2)) if number >= 0 else ceil(number - Fraction(1, 2))


def _above(number: Fraction) -> int:
    return floor(number) + 1


def _below(number: Fraction) -> int:
    return ceil(number) - 1


ROUNDED: dict[str, Rounding] = {"<=": ceil, ">=": floor, "<": _above, ">": _below}
"""Bounds are rounded to where they hold."""
