"""Templates: nothing is filled in that is not given, and they are found in a checkout as well as in a wheel."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from bayplan.render.texts import one_line, text, time

ROOT = Path(__file__).parents[3]


def test_what_is_not_given_is_no_empty_text() -> None:
    with pytest.raises(UndefinedError, match="'policy' is undefined"):
        text("etc/systemd/system/slice", description="x", lines=[])


def test_nothing_is_taken_for_html() -> None:
    assert "a & <b>" in text("etc/systemd/system/slice", policy="a & <b>", description="x", lines=[])


def test_a_comment_ends_where_it_should() -> None:
    assert one_line(" two\n lines,\x00a bell\x07 ") == "two lines,\ufffda bell\ufffd"


@pytest.mark.parametrize(("milliseconds", "words"), [(0, "0s"), (1000, "1s"), (1500, "1500ms"), (90_000, "90s")])
def test_times(milliseconds: int, words: str) -> None:
    assert time(milliseconds) == words


def test_a_wheel_brings_the_templates_along(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path / "site")
    code = (
        "import bayplan, bayplan.render.texts as texts\n"
        "print(bayplan.__file__)\n"
        "print(texts.text('etc/systemd/system/slice', policy='p', description='Pool x', lines=[]))\n"
    )
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=env, check=True, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[0] == str(tmp_path / "site" / "bayplan" / "__init__.py")
    assert "Description=Pool x" in done.stdout
