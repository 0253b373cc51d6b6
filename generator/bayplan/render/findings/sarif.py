"""Findings as SARIF 2.1.0, which GitHub, GitLab and editors read. Same findings, same bytes.

Section numbers are those of the OASIS standard: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bayplan import __version__
from bayplan.finding import NOWHERE, Place
from bayplan.render.data import document
from bayplan.render.words import about, ways_out

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.finding import Finding
    from bayplan.pages import Page
    from bayplan.render.findings.report import Report

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ROOT = "SRCROOT"
_FINGERPRINT = "bayplanFinding/v1"


def sarif(report: Report, ends: Mapping[Place, Place]) -> str:
    """Return the document: one run, with the rules that found something.

    Args:
        report: the findings.
        ends: where a value that begins at a place ends, as far as that is known; only such a value gets a fix.
    """
    rules = sorted({one.rule for one in report.findings})
    run = {
        "tool": {
            "driver": {
                "name": "bayplan",
                "semanticVersion": __version__,
                "rules": [_rule(rule, report) for rule in rules],
            }
        },
        "automationDetails": {"id": f"bayplan-check/{report.fleet}/{report.environment}/"},
        "originalUriBaseIds": {ROOT: {"description": {"text": "The root of the repository."}}},
        "columnKind": "unicodeCodePoints",
        "results": _results(report, rules, ends),
    }
    return document({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(rule: str, report: Report) -> dict[str, Any]:
    page = report.pages.get(rule)
    family = rule.partition("/")[0]
    if page is None:
        return {"id": rule, "shortDescription": {"text": rule}, "properties": {"tags": [family]}}
    return {
        "id": rule,
        "shortDescription": {"text": page.summary},
        "fullDescription": {"text": _why(page)},
        "help": {"text": page.text, "markdown": page.text},
        "defaultConfiguration": {"level": page.severities[0].value},
        "properties": {"tags": [family]},
    }


def _why(page: Page) -> str:
    """Return why it matters: the first paragraph of the page."""
    return " ".join(page.body.partition("\n\n")[0].split())


def _results(report: Report, rules: list[str], ends: Mapping[Place, Place]) -> list[dict[str, Any]]:
    index = {rule: n for n, rule in enumerate(rules)}
    seen: Counter[str] = Counter()
    results = []
    for one in report.findings:
        stays = fingerprint(one)
        seen[stays] += 1
        results.append(
            {
                "ruleId": one.rule,
                "ruleIndex": index[one.rule],
                "level": one.severity.value,
                "message": {"text": _message(one)},
                "locations": [] if one.place == NOWHERE else [_location(one.place)],
                **_more(one, ends),
                "partialFingerprints": {_FINGERPRINT: f"{stays}:{seen[stays]}"},
            }
        )
    return results


def _message(finding: Finding) -> str:
    parts = [about(finding), finding.arithmetic, *(f"→ {words}" for words in ways_out(finding))]
    return escaped("\n".join(part for part in parts if part))


def _more(finding: Finding, ends: Mapping[Place, Place]) -> dict[str, Any]:
    """Return what not every finding has: further places, a fix, and its parts as they are, to be pasted."""
    more: dict[str, Any] = {}
    if finding.also:
        more["relatedLocations"] = [{"id": n, **_location(place)} for n, place in enumerate(finding.also, 1)]
    end = ends.get(finding.place)
    if finding.write and end is not None:
        more["fixes"] = [_fix(finding, end)]
    parts = {"subject": finding.subject, "arithmetic": finding.arithmetic, "paste": finding.paste}
    more["properties"] = {key: value for key, value in parts.items() if value}
    return more


def _fix(finding: Finding, end: Place) -> dict[str, Any]:
    region = {**_region(finding.place), "endLine": end.line, "endColumn": end.column}
    replacement = {"deletedRegion": region, "insertedContent": {"text": finding.write}}
    change = {"artifactLocation": _artifact(finding.place.file), "replacements": [replacement]}
    return {"description": {"text": escaped(f"write {finding.write}")}, "artifactChanges": [change]}


def _location(place: Place) -> dict[str, Any]:
    region = {"region": _region(place)} if place.line else {}
    return {"physicalLocation": {"artifactLocation": _artifact(place.file), **region}}


def _region(place: Place) -> dict[str, int]:
    return {"startLine": place.line, "startColumn": max(1, place.column)}


def _artifact(file: str) -> dict[str, str]:
    """Return a file: from the root of the repository, or as a whole address if it lies elsewhere."""
    path = PurePosixPath(file)
    if path.is_absolute():
        return {"uri": path.as_uri()}
    return {"uri": quote(file, errors="surrogateescape"), "uriBaseId": ROOT}


def escaped(text: str) -> str:
    """Return a text as a message string: braces are doubled (3.11.5), and nothing reads as a link (3.11.6)."""
    return text.replace("{", "{{").replace("}", "}}").replace("](", "] (")


def fingerprint(finding: Finding) -> str:
    """Return what stays while lines move and amounts change: of rule, file, subject and the words of the sentence."""
    words = re.sub(r"[0-9]+([.,][0-9]+)*", "#", finding.message)
    told = f"{finding.rule}\n{finding.place.file}\n{finding.subject}\n{words}"
    return hashlib.sha256(told.encode(errors="surrogateescape")).hexdigest()[:32]
