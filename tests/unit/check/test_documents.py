"""What the five documents claim, recomputed: each wrong figure is told with its sum, and what is right is left alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from bayplan import pipeline
from bayplan.check.rules import every
from bayplan.place import Decision
from bayplan.policy.fleet import read_policy
from bayplan.source import Node, read_text

ROOT = Path(__file__).parents[3]
CASES: list[dict[str, Any]] = yaml.safe_load(
    (ROOT / "tests" / "cases" / "check" / "documents.yml").read_text(encoding="utf-8")
)
FAMILIES = ("claims", "savings", "evidence")
RULES = {rule.id: rule for rule, _ in every()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_what_a_document_claims(case: dict[str, Any]) -> None:
    policy = read_policy(ROOT / "policies" / case["policy"], env=case.get("env"))
    document = claiming(policy.document, case)
    plan = pipeline.make_plan(replace(policy, document=document), Decision(None), None)
    found = [one for one in plan.findings if one.rule.partition("/")[0] in FAMILIES]
    assert [one for one in found if one.severity is not RULES[one.rule].severity] == []
    said = [
        f"{one.place.file} {one.place.line} {one.severity} {one.rule}: {one.message} | {one.arithmetic} | {one.write}"
        for one in found
    ]
    assert said == case.get("findings", [])


def claiming(document: Node, case: dict[str, Any]) -> Node:
    """Return the tree of a policy that claims what a case says, and nothing else."""
    value = {**document.value, "expect": claims("expect", case.get("expect", []))}
    rollout = document.get("rollout")
    if rollout is not None:
        stages = [
            stage.with_value({**stage.value, "expect": claims(name, case.get("stages", {}).get(name, []))})
            for stage in rollout.value["stages"]
            if (name := stage.value["name"].string)
        ]
        value["rollout"] = rollout.with_value(
            {**rollout.value, "stages": rollout.value["stages"].with_value(tuple(stages))}
        )
    return document.with_value(value)


def claims(name: str, lines: list[Any]) -> Node:
    """Return claims as a tree: each on a line of its own, in a file of this name."""
    text = "".join(f"- {yaml.safe_dump(line, default_flow_style=True, width=9999).strip()}\n" for line in lines)
    tree, found = read_text(f"expect:\n{text}" if lines else "expect: []\n", name)
    assert tree is not None, found
    section = tree.get("expect")
    assert section is not None
    return section.with_value(tuple(Node(one.value, one.place._replace(line=one.place.line - 1)) for one in section))
