"""A finding is one line, whatever it quotes."""

from __future__ import annotations

import pytest

from bayplan.finding import LONGEST, Place, error


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("größe 😀 → {{ x }}", "größe 😀 → {{ x }}"),
        ("a\nb.yml:1:1 error x", "a\\nb.yml:1:1 error x"),
        ("\x1b[2Jgone\r\t\x00", "\\x1b[2Jgone\\r\\t\\x00"),
        ("abc\u202ecba\udcff\u2028", "abc\\u202ecba\\udcff\\u2028"),
    ],
)
def test_what_would_move_the_cursor_or_end_the_line_is_written_out(text: str, written: str) -> None:
    found = error("a/b", Place("f.yml"), text, text, text)
    assert (found.subject, found.message, found.remedy) == (written, written, written)


def test_what_quotes_a_whole_file_is_cut() -> None:
    found = error("a/b", Place("f.yml"), "x", "y" * (LONGEST + 1))
    assert found.message == "y" * (LONGEST - 1) + "…"
    assert error("a/b", Place("f.yml"), "x", "y" * LONGEST).message == "y" * LONGEST
