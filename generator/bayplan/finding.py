"""Findings: what is wrong, where it is written, the sum behind it and the way out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Place(NamedTuple):
    """A position in a source file. Lines and columns count from 1; 0 means the whole file."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """Return `file:line:column`, or as much of it as is known."""
        if not self.line:
            return self.file
        return f"{self.file}:{self.line}:{self.column}"


NOWHERE = Place("bayplan")
"""The place of what nobody wrote: a built-in default."""


class Severity(StrEnum):
    """How much a finding matters. Errors stop a plan; warnings and notes do not."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """Return 0 for errors, so that they sort first."""
        return (Severity.ERROR, Severity.WARNING, Severity.NOTE).index(self)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a person should know, with its place, its arithmetic and its remedy.

    Attributes:
        rule: stable id, `family/what`, for example `network/port-taken`.
        severity: error, warning or note.
        place: where the line stands that should change.
        subject: whom it is about: a service, a node, a key path.
        message: one sentence.
        arithmetic: the sum written out, or empty.
        remedy: what to do about it, in words or as a policy line.
        also: further places that take part (the other half of a conflict).
        paste: a fragment of policy that ends the finding when it is merged into the policy: maps merge, all else is
            replaced. Empty where there is none.
        write: the value that ends the finding when it replaces the one at `place`, or empty.
    """

    rule: str
    severity: Severity
    place: Place
    subject: str
    message: str
    arithmetic: str = ""
    remedy: str = ""
    also: tuple[Place, ...] = ()
    paste: str = ""
    write: str = ""

    @property
    def sort_key(self) -> tuple[str, int, int, int, str, str, str]:
        """Order by place, then severity, rule, subject and message: a total order."""
        where = self.place
        return (
            where.file,
            where.line,
            where.column,
            self.severity.rank,
            self.rule,
            self.subject,
            self.message,
        )

    @property
    def is_error(self) -> bool:
        """Whether this finding stops a plan."""
        return self.severity is Severity.ERROR


def error(rule: str, place: Place, subject: str, message: str, remedy: str = "", **more: object) -> Finding:
    """Return a finding of severity error; `more` takes `arithmetic`, `also`, `paste` and `write`."""
    return _finding(Severity.ERROR, rule, place, subject, message, remedy, more)


def warning(rule: str, place: Place, subject: str, message: str, remedy: str = "", **more: object) -> Finding:
    """Return a finding of severity warning; `more` takes what `error` takes."""
    return _finding(Severity.WARNING, rule, place, subject, message, remedy, more)


def note(rule: str, place: Place, subject: str, message: str, remedy: str = "", **more: object) -> Finding:
    """Return a finding of severity note; `more` takes what `error` takes."""
    return _finding(Severity.NOTE, rule, place, subject, message, remedy, more)


def _finding(
    severity: Severity,
    rule: str,
    place: Place,
    subject: str,
    message: str,
    remedy: str,
    more: dict[str, object],
) -> Finding:
    subject, message, remedy = visible(subject, _LONGEST_NAME), visible(message), visible(remedy)
    place = place._replace(file=visible(place.file, _LONGEST_NAME))
    arithmetic = str(more.get("arithmetic", ""))
    also = more.get("also", ())
    places = tuple(p for p in also if isinstance(p, Place)) if isinstance(also, tuple | list) else ()
    paste, write = str(more.get("paste", "")), str(more.get("write", ""))
    return Finding(rule, severity, place, subject, message, arithmetic, remedy, places, paste, write)


LONGEST = 2000
"""The longest message of a finding; what quotes a file may be as long as the file."""

_LONGEST_NAME = 300


def visible(text: str, longest: int = LONGEST) -> str:
    """Return a text as one line of bounded length: what would move a cursor, or end the line, is written out."""
    text = text[: longest + 1]
    if not text.isprintable():
        text = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def in_order(findings: list[Finding] | tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return the findings sorted and without repetitions."""
    return tuple(sorted(set(findings), key=lambda finding: finding.sort_key))
