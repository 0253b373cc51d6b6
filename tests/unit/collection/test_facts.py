"""What is made of `docker inspect`, and what a plan depends on."""

from __future__ import annotations

import copy
import importlib
import pkgutil
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.bayplan.fleet.plugins.module_utils import containers, definition, files, item, keys, ready
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import NodeError

KERNEL = containers.Kernel({}, frozenset({0, 1}), Path("/nowhere"))


def inspected(number: int = 1, **labels: str) -> dict[str, Any]:
    compose = {"project": "shop", "service": "web", "container-number": str(number), "oneoff": "False",
               "config-hash": "h1", "project.config_files": "/a.yml,/b.yml", **labels}  # fmt: skip
    return {
        "Id": f"id{number}",
        "Name": f"/shop-web-{number}",
        "Image": "sha256:1",
        "RestartCount": 0,
        "State": {"Status": "running", "Pid": 0, "StartedAt": "2026-11-22T12:00:00.5Z", "ExitCode": 0},
        "Config": {"Image": "web:1", "Labels": {f"com.docker.compose.{key}": value for key, value in compose.items()}},
        "HostConfig": {
            "Memory": 1 << 20, "NanoCpus": 500_000_000, "NetworkMode": "net", "RestartPolicy": {"Name": "always"},
            "PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}, {"HostIp": "::1", "HostPort": "81"}]},
        },
        "Mounts": [{"Type": "volume", "Name": "v", "Source": "/v/_data", "Destination": "/data", "RW": True}],
    }  # fmt: skip


def test_a_container_is_one_flat_value() -> None:
    found = containers.fact(inspected(), KERNEL)
    assert found["configured"]["memory"] == 1 << 20
    assert (found["kernel"], found["usage"]) == (None, None)
    assert found["ports"] == ["8080:80/tcp", "[::1]:81:80/tcp"]
    assert found["config_files"] == ["/a.yml", "/b.yml"]
    assert found["mounts"] == [{"type": "volume", "name": "v", "source": "/v/_data", "target": "/data", "rw": True}]


def test_a_one_off_run_is_no_copy() -> None:
    assert containers.number_of(inspected(3, oneoff="True")) == 0


FACTS: dict[str, Any] = {
    "docker": "26.1.5", "live_restore": False, "log_driver": "json-file", "log_opts": {}, "compose": "2.26.1", "cgroup": 1,
    "cgroup_driver": "systemd", "release": "", "arch": "amd64", "cpus": 2, "threads_per_core": 1, "memory": 1 << 32, "gpus": [],
    "slices": [{"name": "system.slice", "memory_max": None, "drop_ins": []}],
    "volumes": [{"name": "v", "driver": "local", "device": "", "size": 5}],
    "containers": [containers.fact(inspected(), KERNEL), containers.fact(inspected(2, oneoff="True"), KERNEL)],
}  # fmt: skip


def test_keys_are_there_for_all_that_a_plan_depends_on() -> None:
    assert sorted(keys.keys(FACTS)) == [
        "cgroup", "compose", "container/shop/web/1", "docker", "drop-ins", "hardware", "release", "volume/v",
    ]  # fmt: skip
    assert {len(digest) for digest in keys.keys(FACTS).values()} == {16}


def moved(path: str, value: Any) -> dict[str, Any]:
    """Return the facts with another value in one place."""
    facts = copy.deepcopy(FACTS)
    *way, last = (int(part) if part.isdigit() else part for part in path.split("."))
    place: Any = facts
    for part in way:
        place = place[part]
    assert place[last] != value
    place[last] = value
    return facts


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        ("docker", "27", "docker"),
        ("live_restore", True, "docker"),
        ("compose", "5.6", "compose"),
        ("cgroup_driver", "cgroupfs", "cgroup"),
        ("slices.0.drop_ins", ["/etc/x.conf"], "drop-ins"),
        ("release", "p1", "release"),
        ("memory", 5, "hardware"),
        ("volumes.0.device", "/srv", "volume/v"),
        ("containers.0.state", "exited", "container/shop/web/1"),
        ("containers.0.image_id", "sha256:2", "container/shop/web/1"),
        ("containers.0.config_hash", "h2", "container/shop/web/1"),
        ("containers.0.configured.cpus", 1, "container/shop/web/1"),
        ("containers.0.mounts.0.rw", False, "container/shop/web/1"),
    ],
)
def test_a_change_shows_in_its_key_alone(path: str, value: Any, key: str) -> None:
    before, after = keys.keys(FACTS), keys.keys(moved(path, value))
    assert {name for name in before if before[name] != after[name]} == {key}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("volumes.0.size", 99),
        ("containers.0.id", "other"),
        ("containers.0.started", "later"),
        ("containers.0.restarts", 9),
        ("containers.0.health", "unhealthy"),
        ("containers.0.usage", {"memory": 5}),
        ("containers.0.mounts.0.source", "/elsewhere"),
        ("slices.0.memory_max", 5),
    ],
)
def test_what_moves_by_itself_makes_no_plan_stale(path: str, value: Any) -> None:
    assert keys.keys(moved(path, value)) == keys.keys(FACTS)


NOON = 1795348800.0


def state(status: str = "running", restarts: int = 0, policy: str = "always", **more: Any) -> dict[str, Any]:
    one = inspected()
    one["State"] = {"Status": status, "StartedAt": "2026-11-22T12:00:00Z", "ExitCode": 0, **more}
    one["RestartCount"], one["HostConfig"]["RestartPolicy"]["Name"] = restarts, policy
    return one


def test_what_we_stopped_or_what_has_a_health_check_has_not_done_its_work() -> None:
    one = state("exited", policy="no")
    assert ready.is_done(one)
    assert not ready.is_done(one, asleep={"id1"})
    one["Config"]["Healthcheck"] = {"Test": ["CMD", "true"]}
    assert not ready.is_done(one)


@pytest.mark.parametrize(
    ("container", "after", "up", "why"),
    [
        (state(), 1, False, "it has just started"),
        (state(), 3, True, ""),
        (state(), -5, True, ""),  # the clock was set back: its start is in the future
        (state(Health={"Status": "starting"}), 9, False, "its health check has not passed yet"),
        (state(Health={"Status": "healthy"}), 0, True, ""),
        (state(Health={"Status": "unhealthy", "Log": [{"Output": "no\n way"}]}), 9, False, "failed: its health check says no: no way"),
        (state(restarts=2), 9, False, "it ended with 0 and was restarted 2 times"),
        (state(restarts=3), 9, False, "failed: it ended with 0 and was restarted 3 times"),
        (state(restarts=3), 11, True, ""),  # long ago
        (state(restarts=3, Health={"Status": "healthy"}), 1, True, ""),
        (state("restarting", restarts=1, ExitCode=3), 9, False, "it ended with 3 and was restarted 1 times"),
        (state("restarting", restarts=4, ExitCode=3), 9, False, "failed: it ended with 3 and was restarted 4 times"),
        (state("exited"), 9, False, "failed: it is exited, exit code 0"),
        (state("exited", policy="no"), 9, True, ""),
        (state("exited", policy="no", ExitCode=1), 9, False, "failed: it is exited, exit code 1"),
        (state("created"), 9, False, "failed: it is created, exit code 0"),
    ],
)  # fmt: skip
def test_whether_a_container_is_up(container: dict[str, Any], after: float, why: str, *, up: bool) -> None:
    assert ready.verdict(container, NOON + after) == (up, why)


def test_limits_are_no_part_of_what_must_be_recreated() -> None:
    old = {
        "image": "a",
        "mem_limit": "5",
        "cpuset": "0",
        "deploy": {"replicas": 2, "resources": {"limits": {"cpus": 1}}},
    }
    assert definition.without_limits(old) == definition.without_limits({"image": "a", "cpu_shares": 5})
    assert definition.without_limits(old) != definition.without_limits({"image": "b"})
    card = {"image": "a", "deploy": {"resources": {"reservations": {"devices": [{"count": 1}]}}}}
    assert definition.without_limits(card) != definition.without_limits({"image": "a"})


def test_where_a_service_keeps_data_is_named_by_what_it_is_on_the_node() -> None:
    spec = {"volumes": [{"type": "volume", "source": "data"}, {"type": "bind", "source": "/srv/x"}, {"type": "tmpfs"}]}
    assert definition.Wanted(spec, (), volumes={"data": {"name": "shop_data"}}).places == [
        "volume:shop_data",
        "path:/srv/x",
    ]


def test_an_item_without_a_name_is_refused() -> None:
    with pytest.raises(NodeError, match="an item lacks service"):
        item.read({"project": "shop"}, KERNEL)


def test_allocated_room_counts_hard_links_once_and_holes_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 100_000)
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    one = files.allocated(tmp_path)
    with (tmp_path / "hole").open("wb") as file:
        file.truncate(1 << 30)
    (tmp_path / "link").symlink_to("/")
    assert 100_000 <= one < 200_000
    assert files.allocated(tmp_path) < one + 100_000
    assert files.allocated(tmp_path / "none") == 0


def test_every_part_is_imported_by_the_oldest_python_that_nodes_have() -> None:
    """Only its grammar can be held here: what Python 3.9 has no words for would not even be read there."""
    import ast  # noqa: PLC0415 - here alone

    package = importlib.import_module("ansible_collections.bayplan.fleet.plugins.module_utils")
    names = [name for _, name, _ in pkgutil.iter_modules(package.__path__)]
    assert "limits" in names
    for folder in package.__path__:
        for file in [*Path(folder).glob("*.py"), *(Path(folder).parent / "modules").glob("*.py")]:
            tree = ast.parse(file.read_text(), feature_version=(3, 9))
            roots = {
                name.partition(".")[0]
                for part in ast.walk(tree)
                for name in ([part.module or ""] if isinstance(part, ast.ImportFrom) else [one.name for one in part.names] if isinstance(part, ast.Import) else [])
            }  # fmt: skip
            assert roots <= {*sys.stdlib_module_names, "ansible", "ansible_collections"}, file
