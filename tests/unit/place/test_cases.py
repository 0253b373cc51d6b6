"""Fleets and what must be decided about them: the cases are data, `tests/cases/place/*.yml`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from bayplan.model.names import Instance, Name
from bayplan.place import Decision, decide, verify, why_not

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayplan.model.fleet import Fleet

CASES = Path(__file__).parents[2] / "cases" / "place"


def cases() -> list[Any]:
    """Return every case of every file, named `file: title`."""
    return [
        pytest.param(case, id=f"{path.stem}: {case['title']}")
        for path in sorted(CASES.glob("*.yml"))
        for case in yaml.safe_load_all(path.read_text(encoding="utf-8"))
    ]


def instance(text: str) -> Instance:
    """Return the copy that `web` or `web#2` names."""
    name, _, number = text.partition("#")
    full = Name.parse(name) if "/" in name else Name("p", name)
    return Instance(full, int(number or 1))


def errors(decision: Decision) -> list[str]:
    """Return the rules of the findings that are errors."""
    return [finding.rule for finding in decision.findings if finding.is_error]


@pytest.mark.parametrize("case", cases())
def test_decides(case: dict[str, Any], fleet_of: Callable[[dict[str, Any]], Fleet]) -> None:
    fleet = fleet_of(case)
    decision = decide(fleet)
    expected = case["expect"]
    assert errors(decision) == expected.get("errors", [])
    assert [[line.words for line in one.lines] for one in decision.conflicts] == expected.get("conflicts", [])
    if "errors" not in expected and "conflicts" not in expected:
        check_placed(fleet, decision, expected)
    for one, words in zip(decision.conflicts, expected.get("arithmetic", []), strict="arithmetic" in expected):
        assert one.arithmetic == words
    for one, texts in zip(decision.conflicts, expected.get("remedies", []), strict="remedies" in expected):
        assert [remedy.text for remedy in one.remedies] == texts
    check_told(decision, expected)


def check_placed(fleet: Fleet, decision: Decision, expected: dict[str, Any]) -> None:
    placement = decision.placement
    assert placement is not None
    assert placement.optimal
    assert set(placement.seats) == set(fleet.instances())
    assert verify(fleet, placement) == ()
    for text, node in expected.get("seats", {}).items():
        assert placement.seats[instance(text)].node == node, text
    for text, cards in expected.get("cards", {}).items():
        assert list(placement.seats[instance(text)].gpus) == cards, text
    for text, reason in expected.get("reasons", {}).items():
        assert placement.reasons.get(instance(text), "") == reason
    for text, reasons in expected.get("why_not", {}).items():
        who, _, node = text.partition(" on ")
        assert list(why_not(fleet, placement, instance(who), node)) == reasons


def check_told(decision: Decision, expected: dict[str, Any]) -> None:
    """Every finding that is spelled out stands there, with as many of its fields as the case names; and no other of some rules."""
    for wanted in expected.get("told", []):
        found = [one for one in decision.findings if one.rule == wanted["rule"]]
        shown = [{key: str(getattr(one, key)) for key in wanted} for one in found]
        assert wanted in shown
    assert not {one.rule for one in decision.findings} & set(expected.get("untold", []))
