"""Hostile input: each kind gets its finding at its place, in bounded time and memory, and nothing is raised.

A case of `tests/cases/hostile/*.yml`: `policy` is the text of policy.yml, `compose` that of c/compose.yml, `files` has
others by path. A text may say `⟨1000*ab⟩` for a thousand times `ab`, and `⟨1..30 x# ⟩` for `x1 x2 … x30 `, where `#` is
the number and `^` the one before. `made` has what no text can be: `folder`, `pipe`, `link: TARGET`, `hex: BYTES`, or
`size: BYTES` for a file of nothing. The policy lies in `repo/shop`; a file `outside.yml` and a folder `beside` with a
`compose.yml` lie around `repo`. `findings` are all that is said: place, severity and rule. `text` is what their
messages hold, if that matters.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from bayplan.errors import BayplanError
from bayplan.finding import LONGEST, in_order
from bayplan.policy.fleet import read_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from bayplan.finding import Finding

CASES = Path(__file__).parents[2] / "cases" / "hostile"
TEXTS = {"policy": "policy.yml", "compose": "c/compose.yml"}
KEYS = {"name", "files", "made", "findings", "text", *TEXTS}
TIMES = re.compile(r"⟨([0-9]+)\*(.*?)⟩", re.DOTALL)
COUNTED = re.compile(r"⟨([0-9]+)\.\.([0-9]+) (.*?)⟩", re.DOTALL)
SECONDS, MEGABYTES = 10, 500


def cases() -> list[Any]:
    return [
        pytest.param(case, id=f"{file.stem}: {case['name']}")
        for file in sorted(CASES.glob("*.yml"))
        for case in yaml.safe_load(file.read_text(encoding="utf-8"))
    ]


def written_out(text: str) -> str:
    def counted(found: re.Match[str]) -> str:
        numbers = range(int(found[1]), int(found[2]) + 1)
        return "".join(found[3].replace("#", str(number)).replace("^", str(number - 1)) for number in numbers)

    return COUNTED.sub(counted, TIMES.sub(lambda found: found[2] * int(found[1]), text))


def make(path: Path, what: Any) -> None:
    if what == "folder":
        path.mkdir(parents=True)
    elif what == "pipe":
        os.mkfifo(path)
    elif "link" in what:
        path.symlink_to(what["link"])
    elif "hex" in what:
        path.write_bytes(bytes.fromhex(what["hex"]))
    else:
        with path.open("wb") as handle:
            handle.truncate(what["size"])


def folder_of(case: dict[str, Any], root: Path) -> Path:
    (root / "outside.yml").write_text("services: {secret: {image: x}}\n")
    (root / "beside").mkdir()
    (root / "beside" / "compose.yml").write_text("services: {secret: {image: x}}\n")
    policy = root / "repo" / "shop"
    policy.mkdir(parents=True)
    texts = {path: case[key] for key, path in TEXTS.items() if key in case} | case.get("files", {})
    for name, text in texts.items():
        (policy / name).parent.mkdir(parents=True, exist_ok=True)
        (policy / name).write_text(written_out(text), encoding="utf-8")
    for name, what in case.get("made", {}).items():
        (policy / name).parent.mkdir(parents=True, exist_ok=True)
        make(policy / name, what)
    return policy


def read(folder: Path) -> tuple[Finding, ...]:
    with contextlib.chdir(folder):
        return in_order(read_policy(Path(), Path()).findings)


def said(findings: Iterable[Finding]) -> list[str]:
    return [f"{one.place} {one.severity} {one.rule}" for one in findings]


@pytest.mark.parametrize("case", cases())
def test_hostile_input_is_named_where_it_stands(
    case: dict[str, Any], tmp_path: Path, bounded: Callable[[float, int], AbstractContextManager[None]]
) -> None:
    assert set(case) <= KEYS
    folder = folder_of(case, tmp_path)
    with bounded(SECONDS, MEGABYTES):
        findings = read(folder)
    assert said(findings) == [written_out(line) for line in case["findings"]]
    for finding in findings:
        assert finding.message.isprintable()
        assert len(finding.message) <= LONGEST
        assert finding.remedy, finding
    assert case.get("text", "") in " ".join(finding.message for finding in findings)


@pytest.mark.parametrize("what", ["pipe", {"link": "policy"}, {"link": "/dev/zero"}, {"link": "a" * 200}])
def test_a_policy_that_is_no_folder_and_no_file_is_refused(what: Any, tmp_path: Path) -> None:
    make(tmp_path / "policy", what)
    with pytest.raises(BayplanError, match=r"does not exist; a policy is a folder"):
        read_policy(tmp_path / "policy")
