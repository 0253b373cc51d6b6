"""What wildcards mean: `*`, `**`, `?`, `[ab]`, `{a,b}`, each pattern read in time that its length bounds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_LENGTH = 500
"""The longest pattern; the schema says it too, where it can."""
_FEW = 3
"""Up to how many wildcards trying one reading after the other is quick."""


class Pattern(Protocol):
    """What says whether a text has a form."""

    def fullmatch(self, text: str, /) -> object:
        """Return something true if the whole text has the form."""


@lru_cache(maxsize=4096)
def compiled(pattern: str) -> Pattern:
    """Return what a pattern means. `*` stops at a slash, `**` does not; one that is too long covers nothing."""
    if len(pattern) > MAX_LENGTH:
        return re.compile("(?!)")
    tokens = tuple(_tokens(pattern))
    if sum(token.kind is not Kind.ONE for token in tokens) + pattern.count("*") > _FEW:
        return _AtOnce(tokens)
    return re.compile("".join(map(_regex, tokens)))


class Kind(Enum):
    """What a part of a pattern covers: one letter, many letters, or either of several patterns."""

    ONE = auto()
    MANY = auto()
    EITHER = auto()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: Kind
    letter: str = ""
    """The letters that it covers, as a regular expression."""
    options: tuple[tuple[_Token, ...], ...] = ()


def _tokens(pattern: str) -> Iterator[_Token]:
    index = 0
    while index < len(pattern):
        char = pattern[index]
        closing = {"[": "]", "{": "}"}.get(char)
        end = pattern.find(closing, index) if closing else -1
        inner = pattern[index + 1 : end] if end > index else ""
        if pattern.startswith("**", index):
            yield _Token(Kind.MANY, ".")
            index += 2
            continue
        if char == "*":
            yield _Token(Kind.MANY, "[^/]")
        elif char == "?":
            yield _Token(Kind.ONE, "[^/]")
        elif char == "[" and inner:
            yield _Token(Kind.ONE, _letters(inner))
            index = end
        elif char == "{" and end > index:
            yield _Token(Kind.EITHER, options=tuple(tuple(_tokens(one.strip())) for one in inner.split(",")))
            index = end
        else:
            yield _Token(Kind.ONE, re.escape(char))
        index += 1


def _letters(inner: str) -> str:
    """Return what `[ab]`, `[a-c]` and `[!a]` cover; a range that runs backwards covers nothing."""
    found = "^/" if inner[0] == "!" and len(inner) > 1 else ""
    inner = inner[1:] if found else inner
    while inner:
        if inner[1:2] == "-" and len(inner) > len("a-"):
            found += f"{re.escape(inner[0])}-{re.escape(inner[2])}" if inner[0] <= inner[2] else ""
            inner = inner[3:]
        else:
            found += re.escape(inner[0])
            inner = inner[1:]
    return f"[{found}]" if found else "(?!)"


def _regex(token: _Token) -> str:
    if token.kind is Kind.EITHER:
        return f"(?:{'|'.join(''.join(map(_regex, option)) for option in token.options)})"
    return token.letter + ("*" if token.kind is Kind.MANY else "")


@dataclass(frozen=True, slots=True)
class _AtOnce:
    """A pattern of many wildcards, tried in all its readings at once: `re` tries one after the other, for ever."""

    tokens: tuple[_Token, ...]

    def fullmatch(self, text: str, /) -> bool:
        return len(text) in _reached(self.tokens, text, frozenset({0}))


def _reached(tokens: tuple[_Token, ...], text: str, starts: frozenset[int]) -> frozenset[int]:
    """Return where in a text a part of a pattern may end that begins at one of several places."""
    for token in tokens:
        if token.kind is Kind.EITHER:
            starts = frozenset(end for option in token.options for end in _reached(option, text, starts))
            continue
        letter = re.compile(token.letter, re.DOTALL)
        ends: set[int] = set()
        for at in range(len(text) + 1):
            if token.kind is Kind.MANY and at in starts:
                ends.add(at)
            before = ends if token.kind is Kind.MANY else starts
            if at and at - 1 in before and letter.fullmatch(text, at - 1, at):
                ends.add(at)
        starts = frozenset(ends)
    return starts
