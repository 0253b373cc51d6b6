"""Who is meant by a pattern is looked up in an index: it finds whom asking each name finds, and asks far fewer."""

from __future__ import annotations

import difflib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayplan.model.names import Name
from bayplan.policy.patterns import Names, Texts
from bayplan.policy.wildcards import compiled

WORDS = st.text("ab-1", min_size=1, max_size=4)
NAMES = st.lists(st.builds(Name, WORDS, WORDS), max_size=12)
PATTERNS = st.text("ab-1*?[]{,}/!^", max_size=7)


@given(PATTERNS, NAMES)
@settings(max_examples=600, derandomize=True, deadline=None)
def test_the_index_finds_whom_asking_each_name_finds(pattern: str, names: list[Name]) -> None:
    covers = compiled(pattern).fullmatch
    asked = sorted({name for name in names if covers(str(name) if "/" in pattern else name.name)})
    index = Names(names)
    assert index.matching(pattern) == tuple(asked)
    assert index.matching(pattern) == tuple(asked), "asked again"


@given(st.lists(WORDS), PATTERNS)
@settings(max_examples=300, derandomize=True, deadline=None)
def test_texts_that_a_pattern_covers(texts: list[str], pattern: str) -> None:
    assert Texts(texts).matching(pattern) == tuple(
        sorted({text for text in texts if compiled(pattern).fullmatch(text)})
    )


def test_a_project_is_looked_up() -> None:
    names = Names([Name("b", "web"), Name("a", "web"), Name("a", "db")])
    assert names.all == (Name("a", "db"), Name("a", "web"), Name("b", "web"))
    assert names.of_project("a") == (Name("a", "db"), Name("a", "web"))
    assert names.of_project("c") == ()


@pytest.mark.parametrize(
    ("text", "found", "missing"),
    [
        ("n[09:11]", ("n09", "n10", "n11"), ()),
        ("n[10:13]", ("n10", "n11"), ("n12", "n13")),
        ("n1*", ("n10", "n11"), ()),
        ("gpu*", (), ("gpu*",)),
        ("n09", ("n09",), ()),
    ],
)
def test_what_names_ranges_and_patterns_stand_for(text: str, found: tuple[str, ...], missing: tuple[str, ...]) -> None:
    nodes = Texts(["n10", "n09", "n11"])
    assert nodes.standing_for(text) == (found, missing)
    assert nodes.standing_for(text) == (found, missing), "asked again"


@given(st.text("abc/", min_size=1, max_size=6), NAMES)
@settings(max_examples=300, derandomize=True, deadline=None)
def test_the_nearest_of_few_is_the_nearest_of_all(text: str, names: list[Name]) -> None:
    pool = {*map(str, names), *(name.name for name in names)}
    assert Names(names).near(text) == next(iter(difflib.get_close_matches(text, sorted(pool), 1)), "")


@pytest.mark.parametrize(
    ("written", "meant"),
    [("svc-0042x", "svc-0042"), ("vc-0042", "svc-0042"), ("p/svc-0042_", "p/svc-0042"), ("zzzzz", "")],
)
def test_among_very_many_those_that_begin_or_end_alike_are_compared(written: str, meant: str) -> None:
    assert Names(Name("p", f"svc-{n:04d}") for n in range(3000)).near(written) == meant


def test_who_asks_is_not_the_nearest() -> None:
    names = Names([Name("a", "worker"), Name("b", "db")])
    assert names.near("workers") == "worker"
    assert names.near("workers", but=Name("a", "worker")) == ""
    assert Names([*names.all, Name("c", "worker")]).near("workers", but=Name("a", "worker")) == "worker"
