"""What a node tells of itself, as the file of observed facts has it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from bayplan.policy.facts import deployed_files, facts_to_observed, rounded
from bayplan.policy.observed import read_observed
from bayplan.render.observed import observed_files

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 22, 13, 5, 9, 999, timezone(timedelta(hours=1)))
KEYS = {"docker": "0123456789abcdef", "compose": "12e4567890123456"}
LIMITS = {"memory": 2**30, "swap": None, "cpus": 500, "pids": None, "cpuset": "0-1", "cgroup_parent": ""}


def container(service: str, **more: Any) -> dict[str, Any]:
    common = {"id": "f" * 64, "started": "2026-11-22T00:00:00Z", "restarts": 3, "usage": {"memory": 1}}
    told = {"project": "p", "service": service, "number": 1, "image": "web:1", "state": "running", "configured": LIMITS}
    return {**common, **told, **more}


def facts(**more: Any) -> dict[str, Any]:
    return {
        "node": "host.example",
        "arch": "amd64",
        "cpus": 8,
        "threads_per_core": 2,
        "memory": 2**34,
        "gpus": [{"index": 0, "uuid": "GPU-1", "model": "L4", "memory": 2**34, "temperature": 40}],
        "storage": {"path": "/var/lib/docker", "size": 10**12, "free": 17},
        "docker": "26.1.5",
        "compose": "2.26.1",
        "cgroup": 2,
        "cgroup_driver": "systemd",
        "live_restore": True,
        "containers": [container("web"), container("api", number=2), container("api")],
        "volumes": [{"name": "p_data", "size": 2**30 + 1, "device": ""}],
        "release": "",
        "deployed": {},
        **more,
    }


def observed(before: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return facts_to_observed(facts(**more), KEYS, "tower", NOW, before)


def test_the_node_is_called_as_the_policy_calls_it_at_a_time_to_the_second() -> None:
    assert (observed()["node"], observed()["taken"]) == ("tower", "2026-11-22T12:05:09Z")


def test_what_changes_by_itself_is_not_kept() -> None:
    words = yaml.safe_dump(observed())
    assert [word for word in ("usage", "started", "restarts", "free", "temperature", "f" * 64) if word in words] == []


def test_containers_come_by_name_and_number_with_the_limits_that_they_have() -> None:
    found = observed()["services"]
    assert [(one["service"], one["number"]) for one in found] == [("api", 1), ("api", 2), ("web", 1)]
    assert found[0]["limits"] == {"memory": 2**30, "cpus": 500, "cpuset": "0-1"}


def test_containers_of_nobody_are_left_to_the_reserve() -> None:
    strangers = [container("", project="", number=0), container("run", number=0)]
    assert observed(containers=strangers)["services"] == []


@pytest.mark.parametrize(
    ("state", "code", "running", "done"),
    [
        ("running", 0, True, False),
        ("paused", 0, True, False),
        ("restarting", 1, True, False),
        ("created", 0, False, False),
        ("exited", 0, False, True),
        ("exited", 137, False, False),
        ("dead", 0, False, False),
    ],
)
def test_what_runs_and_what_is_done(state: str, code: int, running: bool, done: bool) -> None:  # noqa: FBT001
    (one,) = observed(containers=[container("web", state=state, exit_code=code)])["services"]
    assert (one["running"], one.get("done", False)) == (running, done)


@pytest.mark.parametrize(
    ("size", "up"),
    [
        (0, 0),
        (1, 1),
        (7, 7),
        (8, 8),
        (9, 9),
        (16, 16),
        (17, 18),
        (2**30, 2**30),
        (2**30 + 1, 9 * 2**27),
        (2**31 - 1, 2**31),
    ],
)
def test_sizes_grow_in_eighths_of_a_power_of_two(size: int, up: int) -> None:
    assert rounded(size) == up


@pytest.mark.parametrize("size", [1, 3, 1000, 12345, 10**9, 10**12 + 7])
def test_a_size_is_never_understated_and_at_most_an_eighth_too_large(size: int) -> None:
    assert size <= rounded(size) <= size + size // 8 + 1
    assert rounded(rounded(size)) == rounded(size)


def test_volumes_without_a_name_and_half_copied_ones_are_left_out() -> None:
    names = ["a" * 64, "p_half", "p_data", "p_bulk"]
    devices = {"p_bulk": "/bulk/p"}
    volumes = [{"name": name, "size": 8, "device": devices.get(name, "")} for name in names]
    assert observed(volumes=volumes, incomplete=["p_half"])["volumes"] == {
        "p_bulk": {"size": 8, "device": "/bulk/p"},
        "p_data": 8,
    }


def test_what_was_measured_over_a_longer_time_is_kept() -> None:
    reserve = {"cpus": 250, "memory": 2**30, "window": "24h", "samples": 288}
    assert observed({"reserve": reserve, "memory": 1})["reserve"] == reserve
    assert "reserve" not in observed({"memory": 1})


def test_projects_are_those_of_the_release() -> None:
    deployed = {"p": {"root": "/opt/p", "compose": "services: {}\n"}, "torn": {"root": "/opt/torn", "compose": ""}}
    told = {"release": "0123456789ab", "deployed": deployed}
    assert observed(**told)["projects"] == {"p": {"root": "/opt/p", "release": "0123456789ab"}}
    assert deployed_files(facts(**told)) == {"p": "services: {}\n"}


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    text = "# as it is: no newline at the end\nname: p\nservices:\n  web: {image: 'web:1'}"
    told = {"release": "0123456789ab", "deployed": {"p": {"root": "/opt/p", "compose": text}}}
    for path, written in observed_files(observed(**told), deployed_files(facts(**told))).items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(written)
    assert (tmp_path / "tower" / "p.yaml").read_text() == text
    found, findings = read_observed(tmp_path)
    assert findings == ()
    tower = found["tower"]
    assert tower.taken == NOW.astimezone(UTC).replace(microsecond=0)
    assert (tower.arch, tower.threads_per_core, tower.gpus[0].uuid) == ("amd64", 2, "GPU-1")
    assert dict(tower.keys) == KEYS
    assert [(str(one.copy), one.running) for one in tower.containers] == [
        ("p/api", True),
        ("p/api#2", True),
        ("p/web", True),
    ]
    compose = tower.projects["p"].compose
    assert compose is not None
    assert (tower.projects["p"].root, list(compose.services)) == ("/opt/p", ["web"])


def test_looking_twice_changes_nothing_but_the_time() -> None:
    later = facts_to_observed(facts(), KEYS, "tower", NOW + timedelta(days=1), observed())
    assert {**later, "taken": ""} == {**observed(), "taken": ""}
