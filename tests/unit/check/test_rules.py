"""Each rule has a page; what its page calls wrong is found, what it calls right is not, and its remedy helps."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bayplan.check.rules import every

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bayplan.finding import Finding

PAGES = Path(__file__).parents[3] / "docs" / "rules"
RULES = {rule.id: rule for rule, _ in every()}
BLOCK = re.compile(r"^```(?:yaml|dockerfile) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
Texts = dict[str, str]
Check = "Callable[[Mapping[str, str]], tuple[Finding, ...]]"


def examples(rule: str, heading: str) -> list[Texts]:
    """Return the policies under a heading of a rule's page: path → text; `policy.yml` begins the next one."""
    page = (PAGES / f"{rule}.md").read_text(encoding="utf-8")
    part = page.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    found: list[Texts] = []
    for name, text in BLOCK.findall(part):
        if not name:
            found.append({})
        found[-1][name or "policy.yml"] = text
    return found


def test_each_rule_has_a_page_and_each_module_its_place() -> None:
    for rule, look in every():
        family, _, what = rule.id.partition("/")
        assert look.__module__ == f"bayplan.check.rules.{family}.{what.replace('-', '_')}"
        page = (PAGES / f"{rule.id}.md").read_text(encoding="utf-8")
        title, _, summary, _, severity, *_ = page.splitlines()
        assert title == f"# {rule.id}"
        assert re.fullmatch(r"[A-Z].{20,110}\.", summary)
        strict = f" (**{rule.strict}** under `--strict`)" if rule.strict else ""
        assert severity == f"**{rule.severity}**{strict}"


@pytest.mark.parametrize("rule", sorted(RULES))
def test_what_is_wrong_is_found_with_its_sum_and_mended_by_its_remedy(
    rule: str,
    checked: Callable[[Mapping[str, str]], tuple[Finding, ...]],
    mended: Callable[[Mapping[str, str], Finding], Texts],
) -> None:
    wrong = examples(rule, "Wrong")
    assert wrong
    for texts in wrong:
        found = [one for one in checked(texts) if one.rule == rule]
        assert found, texts
        for one in found:
            assert one.place.line
            assert one.place.column
            assert one.paste or one.write or one.remedy
        ready = [one for one in found if one.paste or one.write]
        for _ in range(len(ready)):
            texts = mended(texts, next(one for one in checked(texts) if one.rule == rule))  # noqa: PLW2901 - step by step
        if ready:
            assert [str(one) for one in checked(texts) if one.rule == rule or one.is_error] == []


@pytest.mark.parametrize("rule", sorted(RULES))
def test_what_is_right_is_left_alone(rule: str, checked: Callable[[Mapping[str, str]], tuple[Finding, ...]]) -> None:
    right = examples(rule, "Right")
    assert right
    for texts in right:
        assert [str(one) for one in checked(texts) if one.rule == rule or one.is_error] == []


def test_too_many_copies_for_the_cards_are_told_once(checked: Callable[..., tuple[Finding, ...]]) -> None:
    """The rule says how many fit; the proof that they cannot be placed says nothing more, unless others take part."""
    alone = """
nodes: {g1: {cpus: 8, memory: 32GiB, gpus: {count: 2, model: T4, memory: 16GiB}}}
services:
  train: {compose: {image: "train:1.0"}, limits: {cpus: 1, memory: 2GiB}, gpu: 1, replicas: 3}
"""
    beside = (
        alone.replace("replicas: 3", "replicas: 2").rstrip()
        + """
  llm: {compose: {image: "llm:1.0"}, limits: {cpus: 1, memory: 2GiB}, gpu: 2GiB}
"""
    )
    assert [one.rule for one in checked(alone) if one.is_error] == ["gpu/fewer-cards"]
    assert [one.rule for one in checked(beside) if one.is_error] == ["place/impossible"]
