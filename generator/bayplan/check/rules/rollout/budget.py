"""Rollouts that may change nothing, or everything at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.source import Node

RULE = Rule("rollout/budget", Severity.WARNING)
_AMOUNT = re.compile(r"(\d+)(%?)(?: per (\S+))?")
_WHOLE = 100


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for a budget or a batch of nothing or of more than all, and for a label that no node has."""
    budget, serial = survey.at("rollout", "budget"), survey.at("rollout", "serial")
    if budget is not None:
        yield from _amount(survey, budget, "budget", "10%")
    for one in (serial,) if serial is not None and not serial.is_list else serial or ():
        yield from _amount(survey, one, "serial", "1")


def _amount(survey: Survey, said: Node, key: str, usual: str) -> Iterator[Finding]:
    found = _AMOUNT.fullmatch(said.string)
    if found is None:
        return
    amount, share, label = int(found[1]), found[2], found[3]
    who = {"budget": "copies", "serial": "nodes"}[key]
    per = f" per {label}" if label else ""
    if label and not any(label in node.labels for node in survey.fleet.nodes.values()):
        labels = sorted({name for node in survey.fleet.nodes.values() for name in node.labels})
        yield RULE.finding(
            said.place, "rollout", f"has a {key} for each {label}, a label that no node has",
            arithmetic=f"{label} is not among {', '.join(labels) or 'none'}", write=f"{amount}{share}",
        )  # fmt: skip
    elif amount == 0:
        yield RULE.finding(
            said.place, "rollout", f"has a {key} of nothing: no {who} may ever be changed",
            arithmetic=f"{said.string} of all {who} = 0", write=usual + per,
        )  # fmt: skip
    elif share and (amount > _WHOLE or (amount == _WHOLE and key == "budget")):
        yield RULE.finding(
            said.place, "rollout", f"has a {key} that bounds nothing: all {who} may be down at once",
            arithmetic=f"{said.string} of all {who}", write=usual + per,
        )  # fmt: skip
