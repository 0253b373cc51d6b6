"""`.env` files: the variables of a Compose project, as Compose reads them.

Nothing here is tried in two ways: each line takes time in its length, whatever stands in it.
"""

from __future__ import annotations

import re
from collections import ChainMap
from typing import TYPE_CHECKING

from bayplan.compose import template
from bayplan.finding import Finding, Place, error

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

MAX_LETTERS = 2**23
"""What all values of a file may hold together: values that refer to each other can double with each line."""

_NOTHING = re.compile(r"[^\S\n]*+(?:#[^\n]*+)?(?:\n|\Z)")
_LINE = re.compile(r"[ \t]*+([^=:\n#]*+)([=:]|(?=\n)|\Z)[ \t]*+")
_EXPORT = re.compile(r"\Aexport[ \t]+")
_QUOTED = re.compile(r"'((?:[^'\\]++|\\'?+)*+)'|\"((?:[^\"\\]++|\\.)*+)\"", re.DOTALL)
_BARE = re.compile(r"[^\n]*")
_COMMENT = re.compile(r"(?:^|(?<![ \t])[ \t]+)#.*")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"', "$": "$$"}


def read_variables(
    text: str, name: str, known: Mapping[str, str] | None = None
) -> tuple[dict[str, str], tuple[Finding, ...]]:
    """Return the variables that a `.env` file sets; one that cannot be read is a finding, and is left out.

    Args:
        text: the file.
        name: what findings call it.
        known: variables set before, which its values may refer to.
    """
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n")
    values: dict[str, str] = {}
    everything = ChainMap(values, dict(known or {}))  # what is set goes into the first
    findings: list[Finding] = []
    at, line, left = 0, 1, MAX_LETTERS
    while at < len(lines):
        try:
            variable, following = _assignment(lines, at, everything)
            left = _paid(left, values.get(variable, ""))
        except template.TemplateError as fault:
            place = Place(name, line, 1)
            findings.append(error("compose/env-file", place, name, str(fault), "write NAME=value, or NAME='value'"))
            following = len(lines) if isinstance(fault, _FullError) else _end_of_line(lines, at)
        line += lines.count("\n", at, following)
        at = following
    return values, tuple(findings)


class _FullError(template.TemplateError):
    """The values of a file are too long together; nothing more is read of it."""


def _paid(left: int, value: str) -> int:
    if len(value) > left:
        raise _FullError(f"grows the values of this file to more than {MAX_LETTERS:,} letters")
    return left - len(value)


def _assignment(text: str, at: int, values: MutableMapping[str, str]) -> tuple[str, int]:
    """Read one line from `at`, and return the variable that it sets, if any, and where the next line starts."""
    nothing = _NOTHING.match(text, at)
    if nothing:
        return "", nothing.end()
    start = _LINE.match(text, at)
    variable = _EXPORT.sub("", start.group(1)).rstrip(" \t") if start else ""
    if not start or variable[:1] in {"'", '"'} or variable[:1].isspace():
        raise template.TemplateError("is not an assignment")
    if " " in variable or "\t" in variable:
        raise template.TemplateError(f"'{variable}' is not a name: it holds a space")
    if not start.group(2):
        return "", _end_of_line(text, at)
    quoted = _QUOTED.match(text, start.end())
    if quoted:
        value = _unquoted(quoted, values)
        end = quoted.end()  # what follows on the line is read as the next assignment, as Compose does
    elif text[start.end() : start.end() + 1] in {"'", '"'}:
        raise template.TemplateError(f"{variable} has a quote that is never closed")
    else:
        bare = _BARE.match(text, start.end())
        value = _expanded(_COMMENT.sub("", bare.group() if bare else "").strip(), values)
        end = _end_of_line(text, start.end())
    if "\0" in variable + value:
        raise template.TemplateError("holds the character U+0000, which no program can be given")
    if variable:
        values[variable] = value
    return variable, end


def _end_of_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def _unquoted(quoted: re.Match[str], env: Mapping[str, str]) -> str:
    if quoted.group(1) is not None:
        return quoted.group(1).replace("\\'", "'")
    inner = re.sub(r"\\(.)", lambda one: _ESCAPES.get(one.group(1), one.group()), quoted.group(2), flags=re.DOTALL)
    return _expanded(inner, env)


def _expanded(text: str, env: Mapping[str, str]) -> str:
    filled = template.fill(text, env)
    if filled.required:
        name, message = filled.required[0]
        raise template.TemplateError(f"refers to {name}, which is required and has no value: {message}".rstrip(": "))
    return template.plain_text(filled.text)
