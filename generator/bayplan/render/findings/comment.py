"""Findings as a comment on a pull request: what counts first, then each rule with its findings, folded away.

A comment is Markdown with HTML in it, and what people wrote must become neither. Their words stand as code, where
GitHub knows no markup, no links and no mentions; a `|`, which would end a cell, stands between two pieces of code.
"""

from __future__ import annotations

import html
import re
from itertools import groupby
from typing import TYPE_CHECKING
from urllib.parse import quote

from bayplan.finding import Severity
from bayplan.render.findings.report import counted
from bayplan.render.texts import one_line
from bayplan.render.words import about, ways_out

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bayplan.finding import Finding
    from bayplan.render.findings.report import Report

LONGEST = 65_000
"""Bytes that a comment takes at most; GitHub refuses more than 65,536 characters."""
_LAST = 400
"""Bytes kept free for the sentence about what was left out."""
_CELL = 600
"""Characters of a cell: one endless sum must not crowd out everything else."""
_TABLE = "| where | what | how much | what to do |\n|---|---|---|---|\n"
_MARKS = {Severity.ERROR: "❌", Severity.WARNING: "⚠️", Severity.NOTE: "💬"}
_END = "\n</details>\n\n"


def marker(fleet: str, environment: str) -> str:
    """Return the first line of a comment, by which the next run finds it; it is not shown."""
    names = (quote(name, safe="", errors="replace") for name in (fleet, environment))
    return f"<!-- bayplan check {' '.join(names)} -->"


def comment(report: Report) -> str:
    """Return the comment, errors first; what does not fit is counted at the end."""
    text = _head(report)
    left = LONGEST - _LAST - _size(text)
    out: dict[Severity, int] = {}
    for (severity, rule), group in _groups(report.findings):
        opening = _opening(report, severity, rule, len(group))
        rows = _fitting(map(_row, group), left - _size(opening + _END))
        if rows:
            part = opening + "".join(rows) + _END
            text, left = text + part, left - _size(part)
        if len(rows) < len(group):
            left = 0  # no note is worth more than an error that is left out
            out[severity] = out.get(severity, 0) + len(group) - len(rows)
    return text + _tail(out)


def _groups(findings: Iterable[Finding]) -> list[tuple[tuple[Severity, str], tuple[Finding, ...]]]:
    """Return the findings of each rule, the rules with errors first."""
    order = sorted(findings, key=lambda one: (one.severity.rank, one.rule, one.sort_key))
    return [(key, tuple(some)) for key, some in groupby(order, key=lambda one: (one.severity, one.rule))]


def _head(report: Report) -> str:
    verdict = {
        Severity.ERROR: "Errors stop a plan.",
        Severity.WARNING: "It works today; the warnings are what will bite.",
        Severity.NOTE: "Nothing to repair.",
    }
    worst = report.findings[0].severity if report.findings else Severity.NOTE
    return (
        f"{marker(report.fleet, report.environment)}\n"
        f"### bayplan check: {code(report.fleet)} ({code(report.environment)})\n\n"
        f"**{report.counts}.** {verdict[worst]}\n\n"
    )


def _opening(report: Report, severity: Severity, rule: str, many: int) -> str:
    page = report.pages.get(rule)
    summary = f": {html.escape(page.summary)}" if page else ""
    title = f"{_MARKS[severity]} {counted({severity: many})} of <code>{html.escape(rule)}</code>{summary}"
    is_open = " open" if severity is Severity.ERROR else ""
    return f"<details{is_open}><summary>{title}</summary>\n\n{_TABLE}"


def _row(finding: Finding) -> str:
    also = [f"also {code(str(place))}" for place in finding.also[:2]]
    cells = (
        "<br>".join([code(str(finding.place)), *also]),
        code(about(finding)),
        code(finding.arithmetic),
        "<br>".join(code(words) for words in ways_out(finding)),
    )
    return f"| {' | '.join(cells)} |\n"


def _fitting(rows: Iterable[str], room: int) -> list[str]:
    """Return the first rows that fit into so many bytes."""
    found: list[str] = []
    for row in rows:
        room -= _size(row)
        if room < 0:
            break
        found.append(row)
    return found


def _tail(out: dict[Severity, int]) -> str:
    if not out:
        return "`bayplan explain RULE` says more about a rule.\n"
    return (
        f"**Left out, because a comment takes no more: {counted(out)}.** `bayplan check` shows all of them, "
        "`bayplan explain RULE` says more about a rule.\n"
    )


def code(text: str) -> str:
    """Return a text that somebody wrote, for a cell: on one line, as code, never as markup."""
    line = one_line(text)
    line = line if len(line) <= _CELL else f"{line[: _CELL - 1]}…"
    return "".join("&#124;" * len(part) if part.startswith("|") else _span(part) for part in re.split(r"(\|+)", line))


def _span(text: str) -> str:
    """Return a text between more backticks than it has in a row itself."""
    if not text.strip():
        return text
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _size(text: str) -> int:
    return len(text.encode())
