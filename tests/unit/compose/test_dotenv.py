"""`.env` files, line by line; what the real Compose reads of each was asked of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayplan.compose.dotenv import read_variables

READ = {
    "A=1": {"A": "1"},
    "export A=two words # comment": {"A": "two words"},
    "A='single $B # x'": {"A": "single $B # x"},
    'B=2\nA="double $B \\n \\" \\$B # x" # c': {"B": "2", "A": 'double 2 \n " $B # x'},
    "A: yaml": {"A": "yaml"},
    "A=": {"A": ""},
    "A": {},
    "A=a#b": {"A": "a#b"},
    'A="one\ntwo"\nB=3': {"A": "one\ntwo", "B": "3"},
    "A = spaced ": {"A": "spaced"},
    'A="${NOPE:-def}"': {"A": "def"},
    "A=$$B": {"A": "$B"},
    "A='a\\'b'": {"A": "a'b"},
    'A="a"b': {"A": "a"},
    "A=1\r\nB=2\r\n": {"A": "1", "B": "2"},
    "\ufeffA=1": {"A": "1"},
    'A={"a": 1}': {"A": '{"a": 1}'},
    "=x": {},
    "# A=1\n\n  \n": {},
    "A=1\nA=2": {"A": "2"},
}
REFUSED = {
    "A='unclosed": 1,
    'B=1\nA="unclosed': 2,
    "B=1\n\nA B=1": 3,
    "A=${": 1,
    "A=${B:?why}": 1,
    "A='it''s'": 1,
}


@pytest.mark.parametrize(("text", "wanted"), READ.items())
def test_reads(text: str, wanted: dict[str, str]) -> None:
    assert read_variables(text, ".env") == (wanted, ())


@pytest.mark.parametrize(("text", "line"), REFUSED.items())
def test_refuses_at_the_line(text: str, line: int) -> None:
    _, findings = read_variables(text, ".env")
    assert [finding.place.line for finding in findings] == [line]
    assert findings[0].is_error


def test_values_of_before_may_be_used() -> None:
    assert read_variables("A=${OUTER}-x", ".env", {"OUTER": "1"}) == ({"A": "1-x"}, ())


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    values, findings = read_variables(text, ".env")
    assert isinstance(values, dict)
    assert all(finding.remedy for finding in findings)
