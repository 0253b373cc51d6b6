"""What patterns cover, however many wildcards they hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayplan.policy.wildcards import MAX_LENGTH, _AtOnce, _regex, _tokens, compiled

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager


@pytest.mark.parametrize(
    "pattern",
    ["[!a]eb", "w**", "{w,we}{b,eb}", "{w,we}{b,eb}{,x}*", "*w*e*b*", "{*,?}{w*,}{e,}b"],
)
def test_patterns_that_cover_web(pattern: str) -> None:
    assert compiled(pattern).fullmatch("web")


@pytest.mark.parametrize(
    "pattern", ["[!w]eb", "[z-a]eb", "[a--]eb", "*w*e*b*?", "{w,we}{w,we}{w,we}{w,we}b", "*/*/*/*"]
)
def test_patterns_that_do_not(pattern: str) -> None:
    assert not compiled(pattern).fullmatch("web")


@pytest.mark.parametrize("pattern", ["{a,aa}" * 40 + "b", "*a" * 60 + "*b", "**a" * 60 + "**b", "{*a,a*}" * 20 + "b"])
def test_patterns_that_could_be_read_in_countless_ways(
    pattern: str, bounded: Callable[[float, int], AbstractContextManager[None]]
) -> None:
    with bounded(5, 100):
        assert not compiled(pattern).fullmatch("a" * 100)
        assert compiled(pattern).fullmatch("a" * 61 + "b")


def test_a_pattern_that_is_too_long_covers_nothing() -> None:
    assert compiled("*" * MAX_LENGTH).fullmatch("web")
    assert not compiled("*" * (MAX_LENGTH + 1)).fullmatch("web")


@given(st.text("ab*?{},[]!-/", max_size=12), st.text("ab/", max_size=8))
@settings(derandomize=True, deadline=None, max_examples=300)
def test_trying_all_readings_at_once_finds_what_trying_them_in_turn_does(pattern: str, text: str) -> None:
    tokens = tuple(_tokens(pattern))
    in_turn = re.compile("".join(map(_regex, tokens))).fullmatch(text) is not None
    assert _AtOnce(tokens).fullmatch(text) is in_turn
