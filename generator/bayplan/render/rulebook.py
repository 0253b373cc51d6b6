"""The list of all rules: for a terminal, for programs, and as the index of their pages."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bayplan.pages import Page

_HEAD = """# Rules

What bayplan finds, by the id that stands in each finding. `bayplan explain ID` prints a page in a terminal.

Made from the pages: `bayplan rules --format markdown >docs/rules/README.md`; a test fails when this one is stale.
"""


def severity(page: Page) -> str:
    """Return how much a finding matters: `error`, `error or note`, `note, error under --strict`."""
    usual = " or ".join(one.value for one in page.severities)
    return f"{usual}, {page.strict.value} under --strict" if page.strict else usual


def rows(pages: Iterable[Page]) -> list[tuple[str, str, str]]:
    """Return the severity, the id and the sentence of each page."""
    return [(severity(page), page.rule, page.summary) for page in pages]


def data(pages: Iterable[Page]) -> list[dict[str, Any]]:
    """Return pages as plain data, for `--format json`."""
    return [
        {
            "rule": page.rule,
            "severity": page.severities[0].value,
            "severities": [one.value for one in page.severities],
            "strict": (page.strict or page.severities[0]).value,
            "summary": page.summary,
        }
        for page in pages
    ]


def index(pages: Iterable[Page]) -> str:
    """Return the index of pages that lie in a folder for each family."""
    parts = [_HEAD]
    for family, some in groupby(pages, key=lambda page: page.family):
        lines = [f"| [{one.rule}]({one.rule}.md) | {severity(one)} | {one.summary} |" for one in some]
        parts.append("\n".join([f"## {family}", "", "| rule | severity | what |", "|---|---|---|", *lines, ""]))
    return "\n".join(parts)
