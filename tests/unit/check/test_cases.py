"""The corner cases of families: each policy with all that a family finds in it, and every remedy taken literally."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bayplan.finding import Finding

FOLDER = Path(__file__).parents[2] / "cases" / "check"
FAMILIES = (
    "capacity",
    "duplicates",
    "enforce",
    "environments",
    "evidence",
    "gpu",
    "network",
    "pinning",
    "qos",
    "rollout",
    "savings",
    "scaling",
    "security",
    "thresholds",
    "tuning",
    "volumes",
)
Texts = dict[str, str]


def cases() -> list[Any]:
    """Return the cases of all families, each named by its family and its own name."""
    return [
        pytest.param(family, case, id=f"{family}: {case['name']}")
        for family in FAMILIES
        for case in yaml.safe_load((FOLDER / f"{family}.yml").read_text(encoding="utf-8"))
    ]


def texts(case: Mapping[str, Any]) -> Texts:
    """Return the files of a case."""
    return {"policy.yml": case["policy"], **case.get("files", {})}


def line(one: Finding) -> str:
    """Return a finding on one line: where, what, its sum, and what is to be written or pasted."""
    return f"{one.place.line} {one.rule} {one.subject}: {one.message} | {one.arithmetic} | {one.paste or one.write}"


@pytest.mark.parametrize(("family", "case"), cases())
def test_what_a_family_finds(family: str, case: Mapping[str, Any], checked: Callable[..., tuple[Finding, ...]]) -> None:
    found = checked(texts(case), case.get("env"), strict=case.get("strict", False))
    assert [line(one) for one in found if one.rule.startswith(f"{family}/")] == case.get("findings", [])


@pytest.mark.parametrize(("family", "case"), cases())
def test_what_is_proposed_ends_what_was_found(
    family: str,
    case: Mapping[str, Any],
    checked: Callable[..., tuple[Finding, ...]],
    mended: Callable[[Mapping[str, str], Finding], Texts],
) -> None:
    """And nothing becomes worse by it."""
    env = case.get("env")
    before = checked(texts(case), env)
    errors = sum(one.is_error for one in before)
    for one in before:
        if one.rule.startswith(f"{family}/") and (one.paste or one.write):
            after = checked(mended(texts(case), one), env)
            assert (one.rule, one.subject, one.message) not in {(x.rule, x.subject, x.message) for x in after}
            assert sum(x.is_error for x in after) <= errors
