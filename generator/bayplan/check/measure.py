"""A claimed value against the truth: does it hold, and how would it be right."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor
from typing import TYPE_CHECKING

from bayplan.check.paste import flow
from bayplan.check.rounding import ROUNDED, decimal, half
from bayplan.model import units
from bayplan.model.quantity import CPUS, DISK, GPU_MEMORY, MEMORY, SWAP

if TYPE_CHECKING:
    from bayplan.source import Node

COUNT, RATIO = "#", "/"
"""What is claimed beside resources: how many of something, and limits divided by requests."""
_BYTES = frozenset({MEMORY, SWAP, GPU_MEMORY})
_SHOWN_UNITS = frozenset({"CPU", "%", "KiB", "MiB", "GiB", "TiB"})
_VALUE = re.compile(r"(-?)([0-9]{1,15}(?:\.([0-9]{0,9}))?|\.([0-9]{1,9}))\s*([A-Za-z%]*)")
_CLAIM = re.compile(r"\s*(<=|>=|<|>)?\s*(.+?)\s*(?:\.\.\s*(.+?))?\s*(?:\s+of\s+([0-9]{1,9})\s+services?)?\s*")
_EXACT_DIGITS, _DIGITS, _MOST_DIGITS = 3, 2, 9
"""Digits of a right value: up to three where it is exact with them, else two (a percentage has one), or as many as are
written; of what is too little for that, as many as can be read."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true, and the sum behind it.

    Attributes:
        amount: in the unit of the resource; a ratio as it is.
        words: how it comes about.
        whole: what a share is a share of, 0 if there is nothing to be a share of.
        services: how many services it comes from.
    """

    amount: Fraction | int
    words: str = ""
    whole: int = 0
    services: int = 0


@dataclass(frozen=True, slots=True)
class Value:
    """A number as somebody wrote it, with its unit."""

    text: str
    number: Fraction
    digits: int
    unit: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a claim says: a number, `<= x` or `a..b`, each perhaps with ` of 32 services`.

    Attributes:
        kind: the resource, COUNT or RATIO.
        sign: `<=`, `>=`, `<`, `>`, or empty.
        first, last: the number; `last` is the end of a range.
        services: how many services it is said to come from, or None.
        quoted: whether YAML has it as a text.
    """

    kind: str
    sign: str
    first: Value
    last: Value | None = None
    services: int | None = None
    quoted: bool = True

    @property
    def is_share(self) -> bool:
        """Whether it is a percentage."""
        return self.first.unit == "%"

    @property
    def is_number(self) -> bool:
        """Whether it is one number, neither a bound nor a range."""
        return not self.sign and self.last is None

    def upper(self, whole: int = 0) -> Fraction | None:
        """Return what it says is not passed, in the unit of the resource, or None if it says no such thing."""
        end = self.last or (self.first if self.sign in {"<=", "<"} else None)
        return None if end is None else self._amount(end, whole)

    def number(self, whole: int = 0) -> Fraction:
        """Return its number, or the lower end of a range, in the unit of the resource."""
        return self._amount(self.first, whole)

    def holds(self, truth: Truth) -> bool:
        """Return whether a truth is what is claimed.

        A number holds if rounding or cutting the truth to the digits that are written gives it: 62 % for 62.5 is right.
        """
        if (self.services is not None and self.services != truth.services) or (self.is_share and not truth.whole):
            return False
        first, amount = self._amount(self.first, truth.whole), truth.amount
        if self.last is not None:
            return first <= amount <= self._amount(self.last, truth.whole)
        if self.sign:
            above = amount > self.first.number * _step(self.kind, self.first.unit, truth.whole)
            return {"<=": amount <= first, ">=": amount >= first, "<": amount < first, ">": above}[self.sign]
        return amount == first or self._rounds_to(truth)

    def right(self, low: Truth, high: Truth | None = None) -> str:
        """Return the claim as it would be right, for YAML: in its unit, with its sign, with the digits that it needs.

        Args:
            low: what is true.
            high: the largest of several truths, of which `low` is then the smallest.
        """
        text = self._corrected(low, high or low)
        if self.services is not None:
            text = f"{text} of {services(low.services)}"
        return scalar(text, quoted=self.quoted)

    def told_apart(self, truth: Truth) -> str:
        """Return a truth for people that is not what is claimed, with more digits where it would look the same."""
        text = shown(self.kind, truth, share=self.is_share)
        if self.kind in {COUNT, RATIO} or not self._looks_right(text, truth):
            return text
        unit = self.first.unit
        exact = Fraction(truth.amount) / _step(self.kind, unit, truth.whole)
        for digits in range(_DIGITS + 1, _MOST_DIGITS):
            number = Fraction(half(exact * 10**digits), 10**digits)
            amount = number * _step(self.kind, unit, truth.whole)
            if not self.holds(replace(truth, amount=amount)):
                return f"{decimal(half(exact * 10**digits), digits)} {unit or 'CPU'}"
        return text

    def _looks_right(self, text: str, truth: Truth) -> bool:
        """Whether the truth, as it is shown, is what is claimed: then more than is shown makes the difference."""
        number, _, unit = text.partition(" ")
        step = _step(self.kind, "" if unit == "CPU" else unit, truth.whole) if unit in _SHOWN_UNITS else Fraction(0)
        said = replace(truth, amount=Fraction(number) * step, services=self.services or 0)
        return bool(step) and self.holds(said)

    def lowered(self, to: Truth) -> str:
        """Return the claim with another upper end, for YAML, rounded down in its unit."""
        text = _in_unit(self.kind, self.last or self.first, to, ">=")
        return flow(f"{self.first.text}..{text}" if self.last else f"{self.sign} {text}")

    def _amount(self, value: Value, whole: int) -> Fraction:
        exact = value.number * _step(self.kind, value.unit, whole)
        # As quantities are read: to whole bytes, to thousandths of a CPU.
        return exact if self.kind == RATIO or value.unit == "%" else Fraction(ceil(exact))

    def _rounds_to(self, truth: Truth) -> bool:
        """Whether rounding or cutting the truth to the digits that are written gives what is written."""
        counted = not (_in_bytes(self.kind) or self.is_share or self.kind in {CPUS, RATIO})
        if counted or not self.first.number:
            return False
        step = _step(self.kind, self.first.unit, truth.whole) / 10**self.first.digits
        steps, written = Fraction(truth.amount) / step, self.first.number * 10**self.first.digits
        sign = -1 if steps < 0 else 1
        return written in {sign * floor(abs(steps)), sign * half(abs(steps))}

    def _corrected(self, low: Truth, high: Truth) -> str:
        if self.is_share and not low.whole:
            return natural(self.kind, low)
        if self.last is not None:
            ends = sorted((self.first, self.last), key=lambda one: self._amount(one, low.whole))
            first, last = (self._amount(one, low.whole) for one in ends)
            from_ = ends[0].text if first <= low.amount else _in_unit(self.kind, ends[0], low, ">=")
            return f"{from_}..{ends[1].text if high.amount <= last else _in_unit(self.kind, ends[1], high, '<=')}"
        if not self.sign and low.amount != high.amount:
            return f"{_in_unit(self.kind, self.first, low, '>=')}..{_in_unit(self.kind, self.first, high, '<=')}"
        truth = low if self.sign in {">", ">="} else high
        least = units.KIB if _in_bytes(self.kind) else 0
        sign = ">=" if self.sign == ">" and truth.amount <= least else self.sign  # below there is nothing to write
        text = _in_unit(self.kind, self.first, truth, sign)
        return f"{sign} {text}" if sign else text


def claimed(node: Node, kind: str) -> Claimed:
    """Return what a claim of a kind says.

    Raises:
        UnitError: if it says nothing of that kind.
    """
    found = _CLAIM.fullmatch(node.string)
    if found is None:
        raise units.UnitError(f"'{node.string}' is no number")
    sign, first, last, services = found.groups()
    if sign and last is not None:
        raise units.UnitError(f"'{node.string}' is a bound and a range at once; write one of them")
    return Claimed(
        kind,
        sign or "",
        _value(first, kind),
        None if last is None else _value(last, kind),
        None if services is None else int(services),
        quoted=isinstance(node.value, str),
    )


def scalar(text: str, *, quoted: bool = False) -> str:
    """Return a text for YAML; a number stays one unless it was quoted."""
    return text if not quoted and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text) else flow(text)


def services(many: int) -> str:
    """Return `1 service`, `2 services`."""
    return f"{many} service{'s' if many != 1 else ''}"


def natural(kind: str, truth: Truth, sign: str = "") -> str:
    """Return a truth in the unit that suits it best, rounded to where a bound of this sign holds."""
    if not _in_bytes(kind):
        return _in_unit(kind, Value("", Fraction(0), 0, ""), truth, sign)
    decimal, size = kind.startswith(DISK), abs(Fraction(truth.amount))
    names = ("TB", "GB", "MB") if decimal else ("TiB", "GiB", "MiB", "KiB")
    unit = next((name for name in names if size >= _step(kind, name, 0)), names[1] if not size else names[-1])
    return _in_unit(kind, Value("", Fraction(0), 0, unit), truth, sign)


def shown(kind: str, truth: Truth, *, share: bool = False) -> str:
    """Return a truth for people; as a percentage if that is what was claimed."""
    if share and truth.whole:
        return units.show_share(int(truth.amount), truth.whole)
    if kind == RATIO:
        return f"{decimal(half(Fraction(truth.amount) * 100), 2)} times the request"
    return str(truth.amount) if kind == COUNT else units.show(kind, int(truth.amount))


def _value(text: str, kind: str) -> Value:
    found = _VALUE.fullmatch(text)
    _readable(text.removeprefix("-"), kind, found[5] if found else "")
    if found is None:
        raise units.UnitError(f"'{text}' is no number")
    number = Fraction(found[2]) * (-1 if found[1] else 1)
    return Value(text, number, len(found[3] or found[4] or ""), found[5])


def _readable(text: str, kind: str, unit: str) -> None:
    """Raise UnitError, saying what could be meant, if a text is no amount of a kind."""
    if kind not in {COUNT, RATIO} and unit == "%":
        return
    if kind == RATIO:
        if not re.fullmatch(r"[0-9]+(\.[0-9]+)?x?", text):
            raise units.UnitError(f"'{text}' is no ratio of limit to request; write 2.5")
    elif kind == CPUS:
        units.cpus(text)
    elif kind in _BYTES:
        units.policy_memory(text)
    elif kind.startswith(DISK):
        units.policy_disk(text)
    elif not re.fullmatch(r"[0-9]{1,15}", text):
        raise units.UnitError(f"'{text}' is not a whole number")


def _in_bytes(kind: str) -> bool:
    return kind in _BYTES or kind.startswith(DISK)


def _step(kind: str, unit: str, whole: int) -> Fraction:
    """Return what one of a unit is, in the unit of the resource; a percentage is one of a whole."""
    return Fraction(whole, 100) if unit == "%" else _unit(kind, unit)


@lru_cache(maxsize=256)
def _unit(kind: str, unit: str) -> Fraction:
    """Return what one of a unit is, in the unit of the resource; there are few, and each claim asks several times."""
    if kind == CPUS:
        return Fraction(units.cpus(f"1{unit}"))
    if kind in _BYTES:
        return Fraction(units.policy_memory(f"1{unit}"))
    return Fraction(units.policy_disk(f"1{unit}") if kind.startswith(DISK) else 1)


def _in_unit(kind: str, value: Value, truth: Truth, sign: str = "") -> str:
    """Return a truth in the unit of a value: exact where that is short, else with two digits or as many as it has."""
    how, exact = ROUNDED.get(sign, half), Fraction(truth.amount) / _step(kind, value.unit, truth.whole)
    longest = _EXACT_DIGITS - 2 * (value.unit == "%")
    short = next((many for many in range(longest + 1) if (exact * 10**many).denominator == 1), None)
    digits = short if short is not None else max(value.digits, _DIGITS - (value.unit == "%"))
    whole = not (_in_bytes(kind) or kind in {CPUS, RATIO} or value.unit == "%")
    if exact and not whole and not how(abs(exact) * 10**digits):
        if _in_bytes(kind) and value.text and value.unit != "%":
            return natural(kind, truth, sign)  # too little for this unit
        digits = next((many for many in range(digits, _MOST_DIGITS) if how(abs(exact) * 10**many)), _MOST_DIGITS)
    return f"{decimal(how(exact * 10**digits), digits)}{value.unit}"
