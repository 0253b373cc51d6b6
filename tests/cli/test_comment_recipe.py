"""The recipe of docs/checking.md keeps one comment: the script as it stands there, with a `gh` that has a few comments."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "checking.md").read_text(encoding="utf-8")
BLOCKS = [yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)]
GH = """#!{python}
import json, pathlib, sys
store = pathlib.Path("comments.json")
comments = json.loads(store.read_text())
words = sys.argv[2:]
if "--jq" in words:
    for one in comments:
        first = one["body"].split("\\n")[0].removesuffix("\\r")
        print(one["id"], first, sep="\\t")
else:
    body = pathlib.Path(words[words.index("--field") + 1].removeprefix("body=@")).read_text()
    address = next(word for word in words if word.startswith("repos/"))
    if "PATCH" in words:
        next(one for one in comments if str(one["id"]) == address.rpartition("/")[2])["body"] = body
    else:
        assert address == "repos/me/ops/issues/7/comments", address
        comments.append({{"id": 90 + len(comments), "body": body}})
    store.write_text(json.dumps(comments))
"""


def script() -> str:
    """Return what the step runs that writes the comment."""
    workflows = [block["jobs"] for block in BLOCKS if isinstance(block, dict) and "jobs" in block]
    (job,) = [jobs["comment"] for jobs in workflows if "comment" in jobs]
    return str(job["steps"][-1]["run"])


def comments(folder: Path) -> list[dict[str, Any]]:
    """Return the comments of the pull request."""
    found: list[dict[str, Any]] = json.loads((folder / "comments.json").read_text())
    return found


@pytest.fixture
def checkout(small: Path, tmp_path: Path) -> Path:
    """Return a checkout whose pull request has one comment of a person, with `gh` and bayplan beside it."""
    (tmp_path / "bin").mkdir()
    calls = {"gh": GH.format(python=sys.executable), "bayplan": f'#!/bin/sh\nexec "{sys.executable}" -m bayplan "$@"\n'}
    for name, text in calls.items():
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / "comments.json").write_text('[{"id": 1, "body": "<!-- bayplan --> nice"}]')
    small.rename(tmp_path / "policies" / "shop")
    return tmp_path


def run(checkout: Path) -> int:
    """Return how the step ends, run as GitHub runs it."""
    env = {"PATH": f"{checkout / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "generator")}
    env |= {"GITHUB_REPOSITORY": "me/ops", "COMMENTS": "repos/me/ops/issues/7/comments", "GH_TOKEN": "none"}
    return subprocess.run(["bash", "-e", "-c", script()], cwd=checkout, env=env, check=False).returncode


def test_one_comment_is_written_once_and_then_edited(checkout: Path) -> None:
    assert run(checkout) == 0
    first, mine = comments(checkout)
    assert mine["body"].startswith("<!-- bayplan check shop default -->\n")
    assert "❌" not in mine["body"]

    file = checkout / "policies" / "shop" / "policy.yml"
    file.write_text(file.read_text().replace("2GiB", "20GiB"))
    assert run(checkout) == 3
    assert [one["id"] for one in comments(checkout)] == [1, mine["id"]]
    assert comments(checkout)[0] == first
    assert "❌" in comments(checkout)[1]["body"]


def test_without_a_policy_no_comment_is_written(checkout: Path) -> None:
    (checkout / "policies" / "shop" / "policy.yml").unlink()
    assert run(checkout) == 1
    assert len(comments(checkout)) == 1
