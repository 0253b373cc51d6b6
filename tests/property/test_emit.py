"""What is written is what is read: by our reader, by a YAML 1.1 reader and by Docker Compose itself."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bayplan.render.emit import Said, bare, emit
from bayplan.source import plain, read_text

NASTY = (
    *("1e3", "1e+3", "0o14", "0x1f", "012", "12:30", "190:20:30", "1_000", "._1", ".5", "5.", "-.inf", ".NaN", "inf"),
    *("yes", "No", "on", "OFF", "y", "N", "true", "False", "null", "Null", "~", "", "=", "<<", "2026-01-31"),
    *(" x", "x ", "\tx", "x\t", "a: b", "a:", ":a", "#", "a #b", "a#b", "- x", "-", "--", "---", "...", "? x", "?"),
    *(
        "&a",
        "*a",
        "!x",
        "!!str",
        "%",
        "%YAML 1.2",
        "@",
        "`",
        "|",
        ">",
        "|-",
        "[",
        "]",
        "{",
        "}",
        "{}",
        "[]",
        ",",
        "a, b",
    ),
    *("'", '"', "it's", 'say "x"', "\\", "\\n", "${X:?set it}", "$$", "$", "a\nb", "a\nb\n", "a\n\n", "\n", "\na"),
    *("a\n  b\n", " a\nb", "a \nb", "a\tb\nc", "a\r\nb", "a\rb", "# x\ny", "ü", "日本語", "🚢", "\u00a0", "\u0085"),
    *("a\u2028b", "a\u2029b", "\ufeff", "\x00", "\x07", "\x1b[31m", "\x7f", "\u200b", "\ufffd", "\uffff", "\U0010ffff"),
)
TEXTS = st.sampled_from(NASTY) | st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=20
)
DOCUMENTS = st.dictionaries(TEXTS, TREES, max_size=5)


def said(tree: Any, comment: str) -> Any:
    """Return the tree with a comment behind each of its values."""
    if isinstance(tree, dict):
        return Said({key: said(value, comment) for key, value in tree.items()}, comment)
    if isinstance(tree, list):
        return Said([said(value, comment) for value in tree], comment)
    return Said(tree, comment)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(DOCUMENTS)
@example({text: text for text in NASTY})
@example({"x": list(NASTY)})
@example({"x": [1e16, 1e-7, 1.5e300, math.inf, -math.inf, 0.1, -0.0, 3.0]})
@example({"x": [[], {}, [[]], [{}], {"y": {}}, [[["z"], 1]]]})
def test_every_reader_reads_what_was_written(tree: dict[str, Any]) -> None:
    text = emit(tree)
    node, findings = read_text(text, "written.yml")
    assert not findings
    assert node is not None
    assert plain(node) == tree
    assert (yaml.safe_load(text) or {}) == tree


@settings(max_examples=80, deadline=None, derandomize=True)
@given(DOCUMENTS, TEXTS, TEXTS)
@example({"x": "a\nb\n", "y": []}, "two\nlines", "and\n--- a: b")
@example({"x": {"y": "\u2028"}}, "\x00 \x07 \u2028 # {", "\ufeff\x1b")
def test_comments_never_break_a_value(tree: dict[str, Any], comment: str, header: str) -> None:
    commented = {key: said(value, comment) for key, value in tree.items()}
    text = emit(commented, header, apart=2)
    node, findings = read_text(text, "written.yml")
    assert not findings
    assert node is not None
    assert plain(node) == tree == bare(commented)
    assert (yaml.safe_load(text) or {}) == tree


@settings(max_examples=80, deadline=None, derandomize=True)
@given(DOCUMENTS)
def test_the_text_is_plain_and_the_same_each_time(tree: dict[str, Any]) -> None:
    text = emit(tree)
    assert text == emit(tree)
    assert text.endswith("\n")
    assert not re.search(r"[\t\r\x00-\x09\x0b-\x1f\u0085\u2028\u2029\ufeff]", text)
    assert all(not event.anchor for event in yaml.parse(text) if hasattr(event, "anchor"))
    assert all(
        not event.flow_style or not event_has_items(text, event) for event in yaml.parse(text) if is_start(event)
    )


def is_start(event: Any) -> bool:
    return isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent)


def event_has_items(text: str, event: Any) -> bool:
    """Whether a collection in flow style is more than `{}` or `[]`."""
    return text[event.start_mark.index :][:2] not in {"{}", "[]"}


def test_one_value_twice_is_written_twice() -> None:
    shared = {"a": ["x"]}
    assert emit({"p": shared, "q": shared}) == "p:\n  a:\n    - x\nq:\n  a:\n    - x\n"


@pytest.fixture(scope="module")
def compose() -> str:
    beside = Path(sys.executable).with_name("docker-compose")
    found = str(beside) if beside.exists() else shutil.which("docker-compose")
    assert found, "docker-compose is missing: install the development lock"
    return found


def test_compose_reads_what_was_written(compose: str, tmp_path: Path) -> None:
    """One file with all of them: a call of Compose takes a tenth of a second."""
    texts = [*NASTY, *(f"{a}{b}" for a in NASTY[::5] for b in NASTY[::7])]
    # Compose refuses a NUL in a variable whatever wrote it, and Go has no way to hold half a pair.
    wanted = {f"V{index}": text for index, text in enumerate(texts) if "\x00" not in text}
    environment = {key: Said(text.replace("$", "$$"), "a reason: # and more") for key, text in wanted.items()}
    file = tmp_path / "compose.yaml"
    file.write_text(emit({"services": {"a": {"image": "x", "environment": environment}}}, "header", apart=2))
    command = [compose, "--project-name", "p", "--file", str(file), "config", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]})
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["services"]["a"]["environment"]
    # What `config` prints is Compose text again: each dollar is doubled.
    assert {key: value.replace("$$", "$") for key, value in found.items()} == wanted
