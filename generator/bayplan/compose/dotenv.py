"""`.env` files: the variables of a Compose project, as Compose reads them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bayplan.compose import template
from bayplan.finding import Finding, Place, error

if TYPE_CHECKING:
    from collections.abc import Mapping

_LINE = re.compile(r"[ \t]*(?:export[ \t]+)?([^\s=:#'\"][^=:\n#]*?)?[ \t]*([=:]|(?=\n)|\Z)[ \t]*")
_QUOTED = re.compile(r"'((?:\\'|[^'])*)'|\"((?:\\.|[^\"\\])*)\"", re.DOTALL)
_BARE = re.compile(r"[^\n]*")
_COMMENT = re.compile(r"(?:^|[ \t]+)#.*")
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
    findings: list[Finding] = []
    at = 0
    while at < len(lines):
        place = Place(name, lines.count("\n", 0, at) + 1, 1)
        try:
            at = _assignment(lines, at, values, known or {})
        except template.TemplateError as fault:
            findings.append(error("compose/env-file", place, name, str(fault), "write NAME=value, or NAME='value'"))
            at = _end_of_line(lines, at)
    return values, tuple(findings)


def _assignment(text: str, at: int, values: dict[str, str], known: Mapping[str, str]) -> int:
    """Read one line from `at`, and return where the next one starts."""
    if not text[at : (end := _end_of_line(text, at))].strip() or text[at:end].lstrip().startswith("#"):
        return end
    start = _LINE.match(text, at)
    if not start:
        raise template.TemplateError("is not an assignment")
    variable, sign = start.group(1) or "", start.group(2)
    if " " in variable or "\t" in variable:
        raise template.TemplateError(f"'{variable}' is not a name: it holds a space")
    if not sign:
        return end
    quoted = _QUOTED.match(text, start.end())
    if quoted:
        value = _unquoted(quoted, {**known, **values})
        end = quoted.end()  # what follows on the line is read as the next assignment, as Compose does
    elif text[start.end() : start.end() + 1] in {"'", '"'}:
        raise template.TemplateError(f"{variable} has a quote that is never closed")
    else:
        bare = _BARE.match(text, start.end())
        value = _expanded(_COMMENT.sub("", bare.group() if bare else "").strip(), {**known, **values})
    if variable:
        values[variable] = value
    return end


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
