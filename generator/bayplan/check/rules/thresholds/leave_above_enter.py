"""Bursts that end where they begin: what enters leaves at once."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING

from bayplan.check.paste import flow
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.policy.values import word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.source import Node

RULE = Rule("thresholds/leave-above-enter", Severity.ERROR)
_WHEN = re.compile(r"(.*?) *([<>]=?) *([0-9.]+) *%")
_ENTER, _LEAVE = "predicted > 90%", "used < 70%"
_STEP = 20


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each burst whose end comes before its beginning, or that reads backwards."""
    pools = survey.at("pools")
    for name, pool in sorted(pools.items() if pools else ()):
        burst = pool.get("burst")
        if burst is not None and burst.value is not None:
            subject = f"pools.{name}.burst"
            backwards = list(_backwards(subject, burst))
            yield from backwards or _compared(subject, burst)


def _backwards(subject: str, burst: Node) -> Iterator[Finding]:
    for key, sign, usual in (("enter", ">", _ENTER), ("leave", "<", _LEAVE)):
        node = burst.get(key)
        found = _WHEN.fullmatch(word(node)) if node is not None else None
        if node is not None and found and not found[2].startswith(sign):
            message = f"{key}s when {node.string}: that is the wrong way round"
            write = flow(f"{found[1]} {sign} {found[3]}%")
            yield RULE.finding(node.place, subject, message, arithmetic=f"as in {usual}", write=write)


def _compared(subject: str, burst: Node) -> Iterator[Finding]:
    enter, leave = burst.get("enter"), burst.get("leave")
    begins, ends = _WHEN.fullmatch(word(enter) or _ENTER), _WHEN.fullmatch(word(leave) or _LEAVE)
    if begins is None or ends is None or Fraction(ends[3]) < Fraction(begins[3]):
        return
    both = (
        "between the two it does both" if Fraction(ends[3]) > Fraction(begins[3]) else "it comes and goes at one line"
    )
    node, low = leave or enter, max(Fraction(begins[3]) - _STEP, Fraction(begins[3]) / 2)
    if node is None:
        return
    # Where only the beginning is said, it is that which has to change: the end is the built-in one.
    write = (
        f"{ends[1]} < {float(low):g}%"
        if leave
        else f"{begins[1]} > {float(min(Fraction(ends[3]) + _STEP, Fraction(95))):g}%"
    )
    yield RULE.finding(
        node.place,
        subject,
        f"ends when {ends[0]}, but begins when {begins[0]}: {both}",
        arithmetic=f"{ends[3]} % {'>' if Fraction(ends[3]) > Fraction(begins[3]) else '='} {begins[3]} %",
        write=flow(write),
    )
