"""The `$` language of Compose: `$X ${X} ${X:-d} ${X-d} ${X:?e} ${X?e} ${X:+r} ${X+r}`, nested, and `$$`.

What comes out is Compose text again: a dollar that is meant as a dollar stands as `$$`, so that the result can be
written into a Compose file and reads back as the same value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_DEPTH = 16
MAX_LETTERS = 2**17
"""What variables may bring into one text: the longest that Linux passes to a program."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR = re.compile(r":?[-?+]")
_BRACE = re.compile(r"[{}]")


class TemplateError(ValueError):
    """A `${` that cannot be read; the message is a clause about the text."""


@dataclass(slots=True)
class Filled:
    """A text with its variables filled in.

    Attributes:
        text: the result, as Compose text.
        used: the variables that had a value, with it.
        missing: variables without a value and without a default; they read as empty.
        required: (name, message) of each `:?` without a value.
        letters: how many letters variables brought in.
    """

    text: str = ""
    used: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    required: list[tuple[str, str]] = field(default_factory=list)
    letters: int = 0


def fill(text: str, env: Mapping[str, str]) -> Filled:
    """Return the text with its variables filled in from `env`.

    Raises:
        TemplateError: for a `${` without an end, without a name, or with an unknown operator, and for what variables
            would make longer than a program can be given.
    """
    filled = Filled()
    filled.text = _fill(text, env, filled, 0)
    return filled


def check(text: str) -> None:
    """Raise TemplateError if `fill` would."""
    fill(text, {})


def literal(text: str) -> str:
    """Return a plain value as Compose text: each dollar doubled."""
    return text.replace("$", "$$")


def plain_text(text: str) -> str:
    """Return what Compose text without variables means: each `$$` is one dollar."""
    return text.replace("$$", "$")


def has_variable(text: str) -> bool:
    """Whether the text refers to a variable."""
    rest = text.replace("$$", "")
    return bool(re.search(r"\$(\{|[A-Za-z_])", rest))


def _fill(text: str, env: Mapping[str, str], filled: Filled, depth: int) -> str:
    if depth > MAX_DEPTH:
        raise TemplateError(f"nests variables more than {MAX_DEPTH} deep")
    pieces, at = [], 0
    while (dollar := text.find("$", at)) >= 0:
        pieces.append(text[at:dollar])
        following = text[dollar + 1 : dollar + 2]
        if following == "{":
            end = _closing(text, dollar + 1)
            pieces.append(_braced(text[dollar + 2 : end], env, filled, depth))
            at = end + 1
        elif named := _NAME.match(text, dollar + 1):
            pieces.append(_value(named.group(), env, filled))
            at = named.end()
        else:  # `$$`, or a dollar that starts nothing: both mean a dollar
            pieces.append("$$")
            at = dollar + (2 if following == "$" else 1)
    pieces.append(text[at:])
    return "".join(pieces)


def _closing(text: str, opening: int) -> int:
    depth = 0
    for brace in _BRACE.finditer(text, opening):
        depth += 1 if brace.group() == "{" else -1
        if not depth:
            return brace.start()
    raise TemplateError(f"has no '}}' for the '${{' at its character {opening}")


def _braced(inner: str, env: Mapping[str, str], filled: Filled, depth: int) -> str:
    named = _NAME.match(inner)
    if not named:
        raise TemplateError("has a '${' that no variable name follows")
    name, rest = named.group(), inner[named.end() :]
    if not rest:
        return _value(name, env, filled)
    operator = _OPERATOR.match(rest)
    if not operator:
        raise TemplateError(f"has '{rest[:1]}' after the variable {name}, where one of :- - :? ? :+ + can stand")
    sign, word = operator.group(), rest[operator.end() :]
    there = name in env and not (sign.startswith(":") and not env[name])
    if sign.endswith("+"):
        if there:
            filled.used[name] = env[name]
        return _fill(word, env, filled, depth + 1) if there else ""
    if there:
        return _value(name, env, filled)
    if sign.endswith("-"):
        return _fill(word, env, filled, depth + 1)
    filled.required.append((name, word))
    return ""


def _value(name: str, env: Mapping[str, str], filled: Filled) -> str:
    if name not in env:
        filled.missing.append(name)
        return ""
    filled.used[name] = env[name]
    filled.letters += len(env[name])
    if filled.letters > MAX_LETTERS:
        raise TemplateError(
            f"becomes longer than {MAX_LETTERS:,} letters by its variables, more than a program can take"
        )
    return literal(env[name])
