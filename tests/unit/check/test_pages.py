"""Every id that the code says has a page, every page an id, and what a page calls wrong or right is so."""

from __future__ import annotations

import ast
import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bayplan import checkup, pages, pipeline
from bayplan.check.rules import every
from bayplan.policy.fleet import read_policy
from bayplan.render.rulebook import index
from bayplan.workspace import workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bayplan.finding import Finding

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "docs" / "rules"
RULES = {rule.id for rule, _ in every()}
"""Those have a test of their own, which also follows their remedies."""
ID = re.compile(r"[a-z]+/[a-z]+(-[a-z]+)*")
IMAGES = {"bitnami/rabbitmq"}
"""Texts in the code that look like ids; in maps from images to what they are, too, but there as keys."""
SAYING = {"error", "warning", "note", "say", "_say", "_fail", "Finding", "Broken", "Rule"}
"""What findings are made with; the id comes first."""
FORMED = {
    "network/{kind}-taken": {f"network/{kind}-taken" for kind in ("address", "name")},
    "compose/undeclared-{kind}": {f"compose/undeclared-{kind}" for kind in ("config", "network", "secret", "volume")},
    "{section}/unknown": {"pools/unknown", "tiers/unknown"},
    "{section}/two": {"pools/two", "tiers/two"},
}
"""Ids that the code puts together, and what they come to."""
COMPILE, PLAN = "bayplan compile --check", "bayplan plan"
ELSEWHERE = {
    **dict.fromkeys(
        (
            "arch/unfit", "capacity/over-line", "gpu/cards", "gpu/given-twice", "gpu/over-line", "gpu/pair",
            "gpu/unfit", "node/unknown", "placement/anti-affinity", "placement/fixed", "placement/missing",
            "placement/nodes", "placement/require", "placement/spread", "placement/stale", "placement/taint",
        ),
        COMPILE,
    ),
    **dict.fromkeys(
        (
            "rollout/needs-facts", "rollout/no-order", "rollout/root-assumed", "rollout/temporary-stop",
            "rollout/told-apart", "rollout/torn-move", "rollout/waits",
        ),
        PLAN,
    ),
}  # fmt: skip
"""What `bayplan check` does not reach, and the verb that says it."""
UNSHOWN = {
    "inventory/old": "asks what day it is",
    "placement/apart": "a way out for reasons that have no id yet",
    "placement/moved": "likewise",
    "placement/refused": "likewise",
    "placement/together": "likewise",
    "placement/undecided": "takes a fleet that is too hard",
    "policy/name": "takes a policy in another folder",
    "rollout/undone": "a fault of bayplan",
    "rollout/unsafe-step": "a fault of bayplan",
    "source/character": "no page can hold such a character",
    "source/encoding": "no page can hold such a byte",
    "source/too-large": "no page is that large",
}
"""Pages without examples."""
SHOWN = sorted(set(pages.every()) - RULES - set(UNSHOWN))


def code() -> Iterator[ast.AST]:
    """Yield every part of the code."""
    for path in sorted((ROOT / "generator" / "bayplan").rglob("*.py")):
        yield from ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def constants() -> set[str]:
    """Return every text in the code that has the form of an id; no id is a key of a map."""
    parts = tuple(code())
    keys = {key for part in parts if isinstance(part, ast.Dict) for key in part.keys}
    texts = (part.value for part in parts if isinstance(part, ast.Constant) and part not in keys)
    return {text for text in texts if isinstance(text, str) and ID.fullmatch(text)} - IMAGES


def formed() -> set[str]:
    """Return every id that is put together where a finding is made, with names in braces."""
    calls = (part for part in code() if isinstance(part, ast.Call) and part.args)
    firsts = [(ast.unparse(call.func).rpartition(".")[2], call.args[0]) for call in calls]
    texts = (ast.unparse(first)[2:-1] for name, first in firsts if name in SAYING and isinstance(first, ast.JoinedStr))
    return {text for text in texts if re.fullmatch(r"[\w{}-]+/[\w{}-]+", text)}


def said(texts: Mapping[str, str], write: Callable[[Mapping[str, str]], Path], verb: str) -> tuple[Finding, ...]:
    """Return what a verb says of a policy from texts."""
    with contextlib.chdir(write(texts)):
        space = workspace(Path())
        policy = read_policy(Path(), inventory=Path())
        if verb == COMPILE:
            return (*checkup.check(space, policy), *pipeline.stale(space, policy).findings)
        return pipeline.plan(space, policy).findings


def test_every_id_has_a_page_and_every_page_an_id() -> None:
    assert formed() == set(FORMED)
    ids = {*constants(), *(one for some in FORMED.values() for one in some)}
    assert len(ids) > 150
    assert (sorted(ids - set(pages.every())), sorted(set(pages.every()) - ids)) == ([], [])


@pytest.mark.parametrize("rule", sorted(pages.every()))
def test_a_page_has_the_form_of_all_pages(rule: str) -> None:
    page = pages.every()[rule]
    assert (FOLDER / f"{rule}.md").read_text(encoding="utf-8") == page.text
    assert re.fullmatch(r"[A-Z].{20,110}\.", page.summary)
    why, *parts = re.split(r"^## ", page.body, flags=re.MULTILINE)
    assert len(why.split()) > 8
    assert [part.partition("\n")[0] for part in parts] == ([] if rule in UNSHOWN else ["Wrong", "Right"])


@pytest.mark.parametrize("rule", SHOWN)
def test_what_is_wrong_is_found_and_what_is_right_is_not(
    rule: str,
    checked: Callable[[Mapping[str, str]], tuple[Finding, ...]],
    folder: Callable[[Mapping[str, str]], Path],
) -> None:
    page, verb = pages.every()[rule], ELSEWHERE.get(rule, "")
    assert f"`{verb}`" in page.body or not verb
    for heading in ("Wrong", "Right"):
        assert page.examples(heading)
        for texts in page.examples(heading):
            findings = said(texts, folder, verb) if verb else checked(texts)
            mine = [one for one in findings if one.rule == rule]
            errors = [str(one) for one in findings if one.is_error]
            assert mine if heading == "Wrong" else not mine + errors, (texts, errors)
            assert {one.severity for one in mine} <= set(page.severities)


@pytest.mark.parametrize("rule", sorted(ELSEWHERE))
def test_check_does_not_say_what_another_verb_says(
    rule: str, checked: Callable[[Mapping[str, str]], tuple[Finding, ...]]
) -> None:
    (texts,) = pages.every()[rule].examples("Wrong")
    assert rule not in {one.rule for one in checked(texts)}


def test_the_index_is_made_from_the_pages() -> None:
    stale = (FOLDER / "README.md").read_text(encoding="utf-8") != index(pages.every().values())
    assert not stale, "make it again: bayplan rules --format markdown >docs/rules/README.md"


@pytest.mark.parametrize("rule", sorted(set(SHOWN) - ELSEWHERE.keys()))
def test_what_is_ready_to_be_pasted_or_written_ends_the_finding(
    rule: str,
    checked: Callable[[Mapping[str, str]], tuple[Finding, ...]],
    mended: Callable[[Mapping[str, str], Finding], dict[str, str]],
) -> None:
    for texts in pages.every()[rule].examples("Wrong"):
        for one in checked(texts):
            if one.rule == rule and (one.paste or one.write):
                after = checked(mended(texts, one))
                assert (one.rule, one.subject, one.message) not in {(x.rule, x.subject, x.message) for x in after}
