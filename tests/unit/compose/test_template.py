"""The dollar language, one expression at a time; the real Compose agrees with the table in its own test."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayplan.compose.template import TemplateError, fill, literal, plain_text

ENV = {"A": "1", "EMPTY": "", "DOLLAR": "x$y"}
FILLED = {
    "plain": "plain",
    "$A": "1",
    "${A}": "1",
    "${A}b$A": "1b1",
    "$$A": "$$A",
    "$": "$$",
    "a$ b": "a$$ b",
    "$1": "$$1",
    "$UNSET": "",
    "${UNSET:-d}": "d",
    "${UNSET-d}": "d",
    "${EMPTY:-d}": "d",
    "${EMPTY-d}": "",
    "${A:-d}": "1",
    "${A:+r}": "r",
    "${A+r}": "r",
    "${EMPTY:+r}": "",
    "${EMPTY+r}": "r",
    "${UNSET:+r}": "",
    "${UNSET:-${A}}": "1",
    "${UNSET:-${ALSO:-x}y}": "xy",
    "${UNSET:-a:b}": "a:b",
    "${A:?why}": "1",
    "${EMPTY?why}": "",
    "${DOLLAR}": "x$$y",
    "${UNSET:-$$x}": "$$x",
}
REFUSED = ["${", "${A", "${}", "${1}", "${A!}", "${A:x}", "${ A}", "${UNSET:-${}"]


@pytest.mark.parametrize(("text", "wanted"), FILLED.items())
def test_fills(text: str, wanted: str) -> None:
    assert fill(text, ENV).text == wanted


@pytest.mark.parametrize("text", REFUSED)
def test_refuses(text: str) -> None:
    with pytest.raises(TemplateError):
        fill(text, ENV)


def test_says_what_was_used_missing_and_required() -> None:
    filled = fill("$A ${B} ${C:?say c} ${EMPTY:?} ${A:+${D}}", ENV)
    assert filled.used == {"A": "1"}
    assert filled.missing == ["B", "D"]
    assert filled.required == [("C", "say c"), ("EMPTY", "")]


@given(st.text())
def test_any_value_survives_as_compose_text(value: str) -> None:
    assert fill(literal(value), {}).text == literal(value)
    assert plain_text(literal(value)) == value
    assert plain_text(fill("${X}", {"X": value}).text) == value


@given(st.text(alphabet="${}:-?+AB$ ", max_size=30))
def test_any_text_is_filled_or_refused(text: str) -> None:
    try:
        filled = fill(text, ENV).text
    except TemplateError:
        return
    assert fill(filled, {}).text == filled
