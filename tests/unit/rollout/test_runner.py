from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bayplan.rollout.runner import run
from bayplan.rollout.timeline import Timeline

if TYPE_CHECKING:
    from pathlib import Path

PLAY = """
- name: Say something
  hosts: all
  gather_facts: false
  any_errors_fatal: true
  tasks:
    - name: Fail and be rescued
      block:
        - name: Fail
          ansible.builtin.fail: {msg: on purpose}
      rescue:
        - name: Go on
          ansible.builtin.debug: {msg: "{{ word }}"}
"""


@pytest.fixture
def play(tmp_path: Path) -> Path:
    file = tmp_path / "play.yml"
    file.write_text(PLAY)
    return file


def hosts(**hosts: Any) -> dict[str, Any]:
    return {"all": {"hosts": hosts}}


def test_a_playbook_runs_and_its_events_come_in_order(play: Path) -> None:
    seen = []
    result = run(play, hosts(here={"ansible_connection": "local"}), {"word": "x"}, seen.append)
    assert (result.code, result.unreachable) == (0, {})
    told = [(event.kind, event.task) for event in seen if event.kind != "begin"]
    assert told == [("play", ""), ("failed", "Fail"), ("ok", "Go on")]


def test_a_node_that_does_not_answer_is_named_with_its_reason(tmp_path: Path) -> None:
    play = tmp_path / "ping.yml"
    play.write_text("- hosts: all\n  gather_facts: false\n  tasks: [{name: Ask, ansible.builtin.ping: }]\n")
    result = run(play, hosts(gone={"ansible_host": "127.0.0.1", "ansible_port": 1}), {"word": "x"})
    assert result.code == 4
    assert list(result.unreachable) == ["gone"]
    assert "Connection refused" in result.unreachable["gone"]


def test_a_playbook_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yml"
    broken.write_text("- hosts: [")
    result = run(broken, hosts(here={"ansible_connection": "local"}))
    assert result.code
    assert "broken.yml" in result.output


def test_a_timeline_tells_plays_and_failures(play: Path) -> None:
    lines = []
    ticks = iter(range(100))
    run(
        play,
        hosts(here={"ansible_connection": "local"}),
        {"word": "x"},
        Timeline(lines.append, clock=lambda: next(ticks)),
    )
    assert lines == ["    1.0 s  Say something", "    2.0 s    here       failed: on purpose"]


def test_the_inventory_may_be_a_file(play: Path, tmp_path: Path) -> None:
    file = tmp_path / "hosts.json"
    file.write_text(json.dumps(hosts(here={"ansible_connection": "local"})))
    assert run(play, file, {"word": "x"}).code == 0
