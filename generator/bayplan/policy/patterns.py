"""Names with wildcards: `kafka-*`, `bev/redis*`, `companion-{redis,grafana}`, and node ranges: `gpu[01:08]`."""

from __future__ import annotations

import itertools
import math
import re
from bisect import bisect_left, bisect_right
from functools import cached_property
from typing import TYPE_CHECKING

from bayplan.policy.wildcards import compiled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bayplan.model.names import Name

MAX_RANGE = 4096
_WILD = "*?[{"
_FEW = 500
"""Names up to which all are looked through for one that is like another."""
_NEIGHBOURS = 32
_RANGE = re.compile(r"\[([0-9]+):([0-9]+)\]")
_MAX_DIGITS = 9


def is_pattern(text: str) -> bool:
    """Whether a name holds a wildcard: `*`, `?`, `[ab]` or `{a,b}`."""
    return any(char in text for char in _WILD)


def head(pattern: str) -> str:
    """Return what every text that a pattern covers begins with: all of it, if it holds no wildcard."""
    return pattern[: next((at for at, char in enumerate(pattern) if char in _WILD), len(pattern))]


class Texts:
    """Texts in order: what a pattern covers is looked for only among those that begin as it does, and only once."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.all = tuple(sorted(dict.fromkeys(texts)))  # what is nearly in order is quickly sorted
        self._known = frozenset(self.all)
        self._covered: dict[str, tuple[str, ...]] = {}
        self._ranges: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}

    def __contains__(self, text: object) -> bool:
        return text in self._known

    def matching(self, pattern: str) -> tuple[str, ...]:
        """Return the texts that a pattern covers, sorted."""
        if not is_pattern(pattern):
            return (pattern,) if pattern in self._known else ()
        if pattern not in self._covered:
            covers = compiled(pattern).fullmatch
            self._covered[pattern] = tuple(text for text in self._beginning(head(pattern)) if covers(text))
        return self._covered[pattern]

    def _beginning(self, start: str) -> tuple[str, ...]:
        def beginning(text: str) -> str:
            return text[: len(start)]

        first = bisect_left(self.all, start)
        return self.all[first : bisect_right(self.all, start, first, key=beginning)]

    def standing_for(self, text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return what a name, a pattern or a range stands for, sorted, and what of it there is not.

        Raises:
            ValueError: for a range that `expand_range` refuses.
        """
        if text not in self._ranges:
            found: set[str] = set()
            missing = []
            for name in expand_range(text):
                matched = (name,) if name in self._known else self.matching(name)
                found.update(matched)
                if not matched:
                    missing.append(name)
            self._ranges[text] = tuple(sorted(found)), tuple(missing)
        return self._ranges[text]


class Names:
    """The names of all services (volumes, networks) in order, to look up whom a text means without asking each."""

    def __init__(self, names: Iterable[Name]) -> None:
        self.all = tuple(sorted(dict.fromkeys(names)))
        self._covered: dict[str, tuple[Name, ...]] = {}

    @cached_property
    def _whole(self) -> dict[str, list[Name]]:
        return _grouped(self.all, str)

    @cached_property
    def _bare(self) -> dict[str, list[Name]]:
        return _grouped(self.all, lambda name: name.name)

    @cached_property
    def _projects(self) -> dict[str, list[Name]]:
        return _grouped(self.all, lambda name: name.project)

    @cached_property
    def _whole_texts(self) -> Texts:
        return Texts(self._whole)

    @cached_property
    def _bare_texts(self) -> Texts:
        return Texts(self._bare)

    def of_project(self, project: str) -> tuple[Name, ...]:
        """Return the names of one project, sorted."""
        return tuple(self._projects.get(project, ()))

    def matching(self, pattern: str) -> tuple[Name, ...]:
        """Return the names that a pattern covers, sorted; without a slash it covers a name in every project."""
        whole = "/" in pattern
        known = self._whole if whole else self._bare
        if not is_pattern(pattern):
            return tuple(known.get(pattern, ()))
        if pattern not in self._covered:
            texts = self._whole_texts if whole else self._bare_texts
            self._covered[pattern] = tuple(sorted(name for text in texts.matching(pattern) for name in known[text]))
        return self._covered[pattern]

    def near(self, text: str, but: Name | None = None) -> str:
        """Return the name, whole or bare, that is most like a text, or nothing.

        Args:
            text: what was written.
            but: a name that is not meant.
        """
        import difflib  # noqa: PLC0415 - needed for a mistake only, and slow to import

        others = [name for name in self._alike(text) if self._whole.get(name, self._bare.get(name)) != [but]]
        return next(iter(difflib.get_close_matches(text, others, 1)), "")

    def _alike(self, text: str) -> Iterable[str]:
        """Return the names to compare a text with: all, or of very many those that begin or end like it."""
        if len(self.all) <= _FEW:
            return {*self._whole, *self._bare}
        ending = text[::-1]
        return {
            one[::step]
            for texts, wanted, step in ((self._sorted, text, 1), (self._sorted_by_end, ending, -1))
            for one in _around(texts, wanted)
        }

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted({*self._whole, *self._bare})

    @cached_property
    def _sorted_by_end(self) -> list[str]:
        return sorted(text[::-1] for text in self._sorted)


def _grouped(names: Iterable[Name], key: Callable[[Name], str]) -> dict[str, list[Name]]:
    found: dict[str, list[Name]] = {}
    for name in names:
        found.setdefault(key(name), []).append(name)
    return found


def _around(texts: list[str], wanted: str) -> list[str]:
    at = bisect_left(texts, wanted)
    return texts[max(0, at - _NEIGHBOURS) : at + _NEIGHBOURS]


def matching(pattern: str, names: Iterable[Name]) -> tuple[Name, ...]:
    """Return the names that a pattern covers, sorted; who asks more than once makes `Names` of them first."""
    return Names(names).matching(pattern)


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
