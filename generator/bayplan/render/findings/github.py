"""Findings as workflow commands of GitHub Actions, which shows them at their lines of a pull request.

What people wrote stands in such a command escaped, and nowhere else: no word of a policy can become a command.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.finding import NOWHERE, Severity
from bayplan.render.words import finding_lines

if TYPE_CHECKING:
    from bayplan.finding import Finding
    from bayplan.render.findings.report import Report

SHOWN = 10
"""Annotations of each kind that GitHub shows of one step; it drops the others without a word."""
_KINDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def github(report: Report) -> str:
    """Return one command a line: errors, warnings, what was counted, notes.

    The counts stand before the notes, so that they are among the notices that are shown.
    """
    loud = [one for one in report.findings if one.severity is not Severity.NOTE]
    notes = [one for one in report.findings if one.severity is Severity.NOTE]
    lines = [*map(_annotation, loud), _summary(report), *map(_annotation, notes)]
    return "".join(f"{line}\n" for line in lines)


def _annotation(finding: Finding) -> str:
    first, *more = finding_lines(finding)
    # The log shows the message alone: its place is said there once more, and without it nobody finds the line.
    message = "\n".join([first, *(line.strip() for line in more)])
    where = finding.place
    at = {} if where == NOWHERE else {"file": where.file}
    if where.line:
        at |= {"line": str(where.line), "col": str(where.column)}
    return _command(_KINDS[finding.severity], {**at, "title": finding.rule}, message)


def _summary(report: Report) -> str:
    room = {Severity.ERROR: SHOWN, Severity.WARNING: SHOWN, Severity.NOTE: SHOWN - 1}
    hidden = sum(max(0, report.many(severity) - most) for severity, most in room.items())
    message = f"{report.fleet} ({report.environment}): {report.counts}"
    if hidden:
        message += f"; GitHub shows {SHOWN} of each kind beside the files, {hidden} more are in the log of this step"
    return _command("notice", {"title": "bayplan check"}, message)


def _command(kind: str, properties: dict[str, str], message: str) -> str:
    listed = ",".join(f"{key}={value.translate(_PROPERTY)}" for key, value in properties.items())
    return f"::{kind} {listed}::{_one_line(message).translate(_DATA)}"


def _one_line(text: str) -> str:
    """Return a text whose only line breaks are those that the command escapes."""
    return "\n".join(text.replace("\r\n", "\n").splitlines())
