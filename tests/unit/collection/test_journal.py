"""The journal keeps its chain, whoever touched the file; the lease keeps its time, whoever touched the clock."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from ansible_collections.bayplan.fleet.plugins.module_utils import journal, lease
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import NodeError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a journal of three lines."""
    path = tmp_path / "deep" / "journal.jsonl"
    for what in ("apply", "resize", "finish"):
        journal.append(path, {"what": what, "data": {"ä": 1}})
    return path


def test_lines_are_chained(file: Path) -> None:
    found = journal.read(file)
    assert found.why == ""
    assert [line["seq"] for line in found.entries] == [1, 2, 3]
    assert found.entries[0]["prev"] == "0" * 64
    assert [line["prev"] for line in found.entries[1:]] == [line["hash"] for line in found.entries[:-1]]
    assert file.stat().st_mode & 0o777 == 0o600


def changed(lines: list[str]) -> list[str]:
    return [lines[0], lines[1].replace("resize", "remove"), lines[2]]


def forged(lines: list[str]) -> list[str]:
    line = {key: value for key, value in json.loads(lines[1]).items() if key not in ("hash", "seq", "prev")}
    return [lines[0], json.dumps(journal.entry(2, json.loads(lines[0])["hash"], {**line, "what": "remove"})), lines[2]]


@pytest.mark.parametrize(
    ("touch", "why"),
    [
        (changed, "line 2 was changed after it was written"),
        (forged, "line 3 does not follow the line before it"),
        (lambda lines: [lines[0], lines[2]], "line 2 says that it is line 3: lines are missing or too many"),
        (lambda lines: lines[1:], "line 1 says that it is line 2: lines are missing or too many"),
        (lambda lines: [*lines, "{"], "line 4 is no JSON object"),
        (lambda lines: [lines[0], "[1]", *lines[1:]], "line 2 is no JSON object"),
    ],
)
def test_whoever_touches_a_line_is_found(file: Path, touch: Callable[[list[str]], list[str]], why: str) -> None:
    lines = file.read_text().splitlines()
    file.write_text("".join(f"{line}\n" for line in touch(lines)))
    assert journal.read(file).why == why
    journal.append(file, {"what": "after"})
    assert journal.read(file).why == why  # going on heals nothing


def test_a_line_that_a_power_cut_tore_is_gone_and_the_chain_goes_on(file: Path) -> None:
    whole = file.read_text()
    for cut in (1, 20, 100):
        file.write_text(whole[:-cut])
        assert journal.read(file).why == ""
        journal.append(file, {"what": "again"})
        found = journal.read(file)
        assert (found.why, [line["what"] for line in found.entries]) == ("", ["apply", "resize", "again"])


def test_a_long_journal_is_not_read_for_its_last_line(file: Path) -> None:
    journal.append(file, {"what": "long", "data": "x" * 50_000})
    journal.append(file, {"what": "after"})
    found = journal.read(file)
    assert (found.why, len(found.entries)) == ("", 5)


def test_many_writers_at_once_make_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    code = (
        f"import sys; sys.path[:] = {sys.path!r}\n"
        "from pathlib import Path\n"
        "from ansible_collections.bayplan.fleet.plugins.module_utils import journal\n"
        f"for n in range(20): journal.append(Path({str(path)!r}), {{'what': str(n)}})\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(4)]
    assert [writer.wait(60) for writer in writers] == [0] * 4
    found = journal.read(path)
    assert (found.why, len(found.entries)) == ("", 80)


def test_no_journal_is_an_empty_one(tmp_path: Path) -> None:
    assert journal.read(tmp_path / "none") == journal.Read()


OWNER = {"host": "here", "user": "ada", "pid": 7}


def test_a_second_run_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    lease.held(path, "p1", "r1", OWNER, 60)
    with pytest.raises(NodeError, match="ada on here is at work here with plan p1") as refused:
        lease.held(path, "p1", "r2", OWNER, 60)
    assert refused.value.outcome == "locked"
    with pytest.raises(NodeError, match="ada on here"):
        lease.renewed(path, "r2")
    assert lease.freed(path, "r2") is False
    assert lease.freed(path, "r1") is True
    lease.held(path, "p2", "r2", OWNER, 60)


def test_only_a_dead_run_of_the_same_plan_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    lease.held(path, "p1", "r1", OWNER, 60)
    for more in ({"resume": True}, {"dead": "r1"}, {"resume": True, "dead": "r0"}):
        with pytest.raises(NodeError):
            lease.held(path, "p1", "r2", OWNER, 60, **more)
    with pytest.raises(NodeError, match="run r1 left plan p1 unfinished"):
        lease.held(path, "p2", "r2", OWNER, 60, resume=True, dead="r1")
    _, before = lease.held(path, "p1", "r2", OWNER, 60, resume=True, dead="r1")
    assert before is not None
    assert before["run"] == "r1"


def test_a_lease_that_has_ended_can_be_taken(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    lease.held(path, "p1", "r1", OWNER, 0)
    assert lease.held(path, "p2", "r2", OWNER, 60)[1]
    lease.renewed(path, "r2")
    found = lease.read(path)
    assert found is not None
    assert found["alive"]


LEASE: dict[str, Any] = {"boot": "b1", "ends": 100.0, "until": "2026-11-22T12:00:00.000Z", "seconds": 60}
NOON = 1795348800.0


@pytest.mark.parametrize(
    ("boot", "since_boot", "wall", "alive"),
    [
        ("b1", 99.0, NOON + 9999, True),  # the clock on the wall was set forward: nobody cares
        ("b1", 101.0, NOON - 9999, False),
        ("b2", 1.0, NOON - 30, True),
        ("b2", 1.0, NOON + 1, False),
        ("b2", 1.0, NOON - 61, False),  # set back: it would hold longer than it was given for
    ],
)
def test_setting_the_clock_prolongs_no_lease(boot: str, since_boot: float, wall: float, *, alive: bool) -> None:
    assert lease.is_alive(LEASE, boot, since_boot, wall) is alive
