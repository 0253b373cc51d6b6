"""Settings that follow the limit, in the form that each image reads: cases in tests/cases/render/tuning.yml."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from bayplan.tuning.command import split

if TYPE_CHECKING:
    from .conftest import Render

CASES: dict[str, dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parents[2] / "cases" / "render" / "tuning.yml").read_text()
)


@pytest.mark.parametrize("name", CASES)
def test_case(name: str, render: Render) -> None:
    case = CASES[name]
    compose = {"image": case["image"]}
    for key, written in (("environment", "environment"), ("entrypoint", "entrypoint"), ("command", "from")):
        if written in case:
            compose[key] = case[written]
    service: dict[str, Any] = {"compose": compose, "tuning": case["tuning"]}
    if limits := {key: case[key] for key in ("memory", "cpus") if key in case}:
        service["limits"] = limits
    policy = yaml.safe_dump({"nodes": {"n": {"cpus": 64, "memory": "512GiB"}}, "services": {"x": service}})
    made = render(policy, {"shop/x": "n"})
    after = made.service("n/shop/x")
    wanted_environment = case.get("environment-after", case.get("environment"))
    assert after.get("environment") == wanted_environment
    assert after.get("command") == case.get("command", case.get("from"))
    assert after.get("entrypoint") == case.get("entrypoint-after", case.get("entrypoint"))
    comments = comments_of(made.trees["n", "shop"]["services"]["x"])
    assert {where: comments.get(where) for where in case.get("why", {})} == case.get("why", {})


def comments_of(body: Any) -> dict[str, str]:
    """Return variable, word or key → the comment behind it, as it stands in the tree."""
    found = {key: value.comment for key, value in body.items() if hasattr(value, "comment")}
    found |= {key: value.comment for key, value in body.get("environment", {}).items() if hasattr(value, "comment")}
    for line in ("command", "entrypoint"):
        words = body.get(line)
        found |= (
            {word.value: word.comment for word in words or () if hasattr(word, "comment")}
            if isinstance(words, list)
            else {}
        )
    return found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a b  c\n", ["a", "b", "c"]),
        ('a "b c" d', ["a", "b c", "d"]),
        ("a 'b \"c'd", ["a", 'b "cd']),
        ('a "" b', ["a", "", "b"]),
        (r"a \"b c\ d", ["a", '"b', "c d"]),
        (r'a "b \" c"', ["a", 'b " c']),
        ("a ${X:?set it} b${Y:-'}c", ["a", "${X:?set it}", "b${Y:-'}c"]),
        ("a ${X:-${Y:-b c}} d", ["a", "${X:-${Y:-b c}}", "d"]),
        ("a && b", ["a"]),
        ("a;b", ["a"]),
        ("a > b", ["a"]),
        ('sh -c "a | b" c', ["sh", "-c", "a | b", "c"]),
        ("", []),
    ],
)
def test_a_text_is_split_as_compose_splits_it(text: str, words: list[str]) -> None:
    assert split(text) == words
