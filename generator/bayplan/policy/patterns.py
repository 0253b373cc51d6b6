"""Names with wildcards: `kafka-*`, `bev/redis*`, `companion-{redis,grafana}`, and node ranges: `gpu[01:08]`."""

from __future__ import annotations

import itertools
import math
import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bayplan.model.names import Name

MAX_RANGE = 4096
_RANGE = re.compile(r"\[([0-9]+):([0-9]+)\]")
_MAX_DIGITS = 9


def is_pattern(text: str) -> bool:
    """Whether a name holds a wildcard: `*`, `?`, `[ab]` or `{a,b}`."""
    return any(char in text for char in "*?[{")


@lru_cache(maxsize=4096)
def compiled(pattern: str) -> re.Pattern[str]:
    """Return the regular expression of a pattern. `*` stops at a slash, `**` does not."""
    return re.compile("".join(_translate(pattern)))


def _translate(pattern: str) -> Iterable[str]:
    index = 0
    while index < len(pattern):
        char = pattern[index]
        closing = {"[": "]", "{": "}"}.get(char)
        end = pattern.find(closing, index) if closing else -1
        if pattern.startswith("**", index):
            yield ".*"
            index += 2
            continue
        if char == "*":
            yield "[^/]*"
        elif char == "?":
            yield "[^/]"
        elif char == "[" and end > index + 1:
            yield "[" + re.escape(pattern[index + 1 : end]).replace(r"\-", "-") + "]"
            index = end
        elif char == "{" and end > index:
            options = pattern[index + 1 : end].split(",")
            yield "(?:" + "|".join("".join(_translate(option.strip())) for option in options) + ")"
            index = end
        else:
            yield re.escape(char)
        index += 1


def matches(pattern: str, name: Name) -> bool:
    """Whether a pattern covers a name; without a slash it covers that name in every project."""
    text = str(name) if "/" in pattern else name.name
    return compiled(pattern).fullmatch(text) is not None


def matching(pattern: str, names: Iterable[Name]) -> tuple[Name, ...]:
    """Return the names that a pattern covers, sorted."""
    return tuple(sorted(name for name in names if matches(pattern, name)))


def expand_range(text: str) -> tuple[str, ...]:
    """Return the names of a range: `gpu[01:03]` is gpu01, gpu02, gpu03 (zero padding kept); others as they are.

    Raises:
        ValueError: if a range runs backwards, or stands for more than 4096 names, alone or with the others.
    """
    parts = [text]
    numbers: list[tuple[str, ...]] = []
    for found in _RANGE.finditer(text):
        numbers.append(_numbers(found[1], found[2]))
        before, _, after = parts.pop().partition(found[0])
        parts.extend((before, after))
    many = math.prod(len(one) for one in numbers)
    if many > MAX_RANGE:
        msg = f"its ranges stand for {many:,} names together, more than {MAX_RANGE}"
        raise ValueError(msg)
    return tuple(
        "".join(part + number for part, number in zip(parts, (*chosen, ""), strict=True))
        for chosen in itertools.product(*numbers)
    )


def _numbers(first: str, last: str) -> tuple[str, ...]:
    short = max(len(first), len(last)) <= _MAX_DIGITS
    if not short or not int(first) <= int(last) < int(first) + MAX_RANGE:
        msg = f"the range [{first}:{last}] runs backwards or is longer than {MAX_RANGE}"
        raise ValueError(msg)
    width = len(first) if first.startswith("0") else 0
    return tuple(f"{number:0{width}d}" for number in range(int(first), int(last) + 1))
