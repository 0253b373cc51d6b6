"""The forms of `bayplan check` that other programs read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bayplan import pages
from bayplan.render import data as as_data
from bayplan.render.findings.comment import comment
from bayplan.render.findings.github import github
from bayplan.render.findings.report import Report, place_of, ranked, rooted
from bayplan.render.findings.sarif import sarif
from bayplan.source import read_file
from bayplan.source.ends import ends
from bayplan.workspace import repository

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bayplan.finding import Finding, Place
    from bayplan.policy.fleet import Policy

FORMS = ("text", "json", "github", "markdown", "sarif")


def written(form: str, policy: Policy, findings: tuple[Finding, ...]) -> str:
    """Return findings in one of FORMS other than text."""
    if form == "json":
        return as_data.text("check", {"fleet": policy.name, "findings": as_data.findings(findings)})
    here, root = repository()
    found = ranked(rooted(one, here, root) for one in findings)
    report = Report(policy.name, policy.environment, found, pages.every())
    if form == "github":
        return github(report)
    if form == "markdown":
        return comment(report)
    behind = {place_of(begin, here, root): place_of(end, here, root) for begin, end in _ends(findings).items()}
    return sarif(report, behind)


def _ends(findings: Iterable[Finding]) -> dict[Place, Place]:
    """Return where the values end that findings would replace; their files are read once more for that."""
    wanted: dict[str, list[Place]] = {}
    for one in findings:
        if one.write and one.place.line:
            wanted.setdefault(one.place.file, []).append(one.place)
    found: dict[Place, Place] = {}
    for file, places in wanted.items():
        text, _ = read_file(Path(file))
        found |= ends(text, places) if text is not None else {}
    return found
