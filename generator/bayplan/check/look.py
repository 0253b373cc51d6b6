"""Look a fleet over: every rule once, and what the policy accepts taken out."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from bayplan.check.rules import every
from bayplan.check.secrets import shows_one
from bayplan.finding import Finding, in_order, warning
from bayplan.policy.values import word

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bayplan.check.survey import Survey
    from bayplan.source import Node


def looked_over(survey: Survey) -> tuple[Finding, ...]:
    """Return what the rules find in a fleet, in order, without what `accept:` of the policy takes as it is.

    What is to be pasted is left out where a secret would be shown with it.
    """
    findings: list[Finding] = []
    for rule, look in every():
        severity = (rule.strict if survey.strict else None) or rule.severity
        findings.extend(_discreet(replace(one, severity=severity)) for one in look(survey))
    accepted = tuple(survey.at("accept") or ())
    left = [one for one in findings if not any(_takes(line, one) for line in accepted)]
    return in_order([*left, *_idle(accepted, findings)])


def _discreet(finding: Finding) -> Finding:
    if not shows_one(finding.paste):
        return finding
    what = "as a secret stands beside it, which is not shown here, what to paste is not shown either: move that first"
    return replace(finding, paste="", remedy="; ".join(filter(None, (finding.remedy, what))))


def _takes(line: Node, finding: Finding) -> bool:
    subject = finding.subject
    pattern = word(line.get("of"), "*")
    return fnmatchcase(finding.rule, word(line.get("rule"))) and (
        fnmatchcase(subject, pattern) or fnmatchcase(subject.rpartition("/")[2], pattern)
    )


def _idle(accepted: Iterable[Node], findings: list[Finding]) -> Iterator[Finding]:
    """Yield the lines that accept nothing: what they were for is gone, and they would hide the next one."""
    for line in accepted:
        if not any(_takes(line, one) for one in findings):
            rule = word(line.get("rule"))
            yield warning(
                "accept/nothing", line.place, "accept", f"accepts {rule}, which finds nothing here", "remove it"
            )
