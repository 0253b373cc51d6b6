"""Files of a release, unit files, and what PostgreSQL says of its folder."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.bayplan.fleet.plugins.module_utils import files, postgres, releases, stopping, units
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import NodeError
from ansible_collections.bayplan.fleet.plugins.module_utils.home import Home

GIVEN = {"shop/compose.yaml": "services: {}\n", "units/bayplan-a.slice": "[Slice]\nMemoryMax=1G\n"}
PROJECTS = {"shop": {"root": "/opt/my shop"}}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.of(str(tmp_path), "shop")


def bring(home: Home, plan: str, given: dict[str, str]) -> Path:
    folder = home.release(plan)
    found = releases.texts(given, {"my-node": "10.0.0.1"}, PROJECTS, folder)
    releases.write(folder, found, releases.manifest("shop", plan, PROJECTS, found))
    return folder


def test_a_project_gets_addresses_and_a_helper(home: Home) -> None:
    folder = bring(home, "p1", GIVEN)
    assert (folder / "shop/addresses.env").read_text() == "BAYPLAN_ADDRESS_MY_NODE=10.0.0.1\n"
    assert (folder / "shop/addresses.env").stat().st_mode & 0o777 == 0o600
    assert subprocess.run(["sh", "-n", folder / "shop/compose"], check=False).returncode == 0
    assert "'/opt/my shop'" in (folder / "shop/compose").read_text()
    assert releases.torn(folder) == ""


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "shop/../../x", ""])
def test_no_file_leaves_the_release(home: Home, name: str) -> None:
    with pytest.raises(NodeError, match="is no path inside of a release"):
        releases.texts({name: ""}, {}, {}, home.release("p1"))


def test_a_torn_release_is_never_current(home: Home) -> None:
    folder = bring(home, "p1", GIVEN)
    (folder / "shop/compose.yaml").write_text("services: {x: {}}\n")
    assert "shop/compose.yaml in" in releases.torn(folder)
    (folder / "manifest.json").unlink()
    assert "holds no whole release" in releases.torn(folder)


def test_a_release_never_changes_but_for_addresses(home: Home) -> None:
    folder = bring(home, "p1", GIVEN)
    other = releases.texts({**GIVEN, "shop/compose.yaml": "x"}, {"my-node": "10.0.0.9"}, PROJECTS, folder)
    assert releases.changed(folder, releases.manifest("shop", "p1", PROJECTS, other)) == ["shop/compose.yaml"]


def test_the_link_points_somewhere_at_every_moment(home: Home) -> None:
    for plan in ("p1", "p2"):
        bring(home, plan, GIVEN)
        files.link(home.current, f"releases/{plan}")
        assert home.current_plan() == plan
        assert (home.current / "manifest.json").is_file()


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".x", "x y"])
def test_names_that_are_no_folder_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(NodeError):
        Home.of(str(tmp_path), name)


def test_foreign_units_are_not_written() -> None:
    assert units.names_of({"units/bayplan.slice": "a", "units/bayplan-a-b_1.slice": "b", "x/units": "c"}).keys() == {
        "bayplan.slice",
        "bayplan-a-b_1.slice",
    }
    for name in ("system.slice", "bayplan.service", "bayplan-a.slice/x", "../bayplan.slice"):
        with pytest.raises(NodeError):
            units.names_of({f"units/{name}": ""})


@pytest.mark.parametrize(
    ("text", "expected"),
    [("MemoryMax=1G", 1 << 30), ("MemoryMax=5", 5), ("MemoryMax=infinity", None), ("", None),
     ("MemoryMax=1G\nMemoryMax=512M", 512 << 20), ("# MemoryMax=1G", None)],
)  # fmt: skip
def test_the_limit_of_a_unit_is_read(text: str, expected: int | None) -> None:
    assert units.memory_max(f"[Slice]\n{text}\n") == expected


def sized(size: str) -> str:
    return f"[Slice]\nMemoryMax={size}\n"


def test_slices_grow_first_and_shrink_last() -> None:
    wanted = {"a.slice": sized("1G"), "b.slice": sized("1G"), "c.slice": sized("1G"), "d.slice": sized("1G")}
    there = {"a.slice": sized("2G"), "b.slice": sized("512M"), "c.slice": "[Slice]\n", "e.slice": "", "f.slice": ""}
    old = ["e.slice", "f.slice", "gone.slice"]
    first = units.plan(wanted, there, old, {"f.slice"}, last=False)
    assert (set(first.write), first.later, first.remove) == ({"b.slice", "d.slice"}, ("a.slice", "c.slice"), ())
    last = units.plan(wanted, there, old, {"f.slice"}, last=True)
    assert (set(last.write), last.later) == (set(wanted), ())
    assert (last.remove, last.keep) == (("e.slice",), ("f.slice",))


def test_a_unit_that_nobody_of_us_brought_is_not_removed() -> None:
    assert units.plan({}, {"bayplan-x.slice": ""}, [], set(), last=True).remove == ()


def cluster(folder: Path, state: int) -> Path:
    (folder / "global").mkdir(parents=True)
    (folder / "PG_VERSION").write_text("15\n")
    (folder / "global/pg_control").write_bytes(struct.pack("<QIII", 7, 1300, 202209061, state) + b"\0" * 100)
    return folder


@pytest.mark.parametrize(
    ("state", "why"), [(1, ""), (2, ""), (6, "is in production, not shut down"), (0, "starting up"), (9, "state 9")]
)
def test_a_cluster_says_whether_it_was_shut_down(tmp_path: Path, state: int, why: str) -> None:
    said = postgres.unclean(cluster(tmp_path, state))
    assert why in said
    assert bool(said) is bool(why)


def test_clusters_are_found_where_images_put_them(tmp_path: Path) -> None:
    deep, top = cluster(tmp_path / "one/15/main", 1), cluster(tmp_path / "two", 1)
    (tmp_path / "two/base").mkdir()
    (tmp_path / "link").symlink_to(tmp_path)
    assert list(postgres.clusters(tmp_path)) == [deep, top]


def test_a_missing_control_file_is_no_clean_shutdown(tmp_path: Path) -> None:
    assert "cannot be read" in postgres.unclean(tmp_path)


def container(signal: str = "", **env: str) -> dict[str, Any]:
    mounts = [{"Destination": "/var/lib", "Source": "/v/outer"}, {"Destination": "/var/lib/pg", "Source": "/v/inner"}]
    return {"Config": {"StopSignal": signal, "Env": [f"{k}={v}" for k, v in env.items()]}, "Mounts": mounts}


def test_a_data_folder_is_found_on_the_node() -> None:
    assert postgres.on_node(container(PGDATA="/var/lib/pg/data")) == Path("/v/inner/data")
    assert postgres.on_node(container(PGDATA="/var/lib/pgx")) == Path("/v/outer/pgx")
    assert postgres.on_node(container(PGDATA="/elsewhere")) is None
    assert postgres.on_node(container()) is None


@pytest.mark.parametrize(
    ("inspected", "signal"),
    [(container(PGDATA="/x"), "SIGINT"), (container("SIGTERM", PGDATA="/x"), "SIGINT"), (container("SIGINT", PGDATA="/x"), ""),
     (container("SIGQUIT", PGDATA="/x"), ""), (container(), "")],
)  # fmt: skip
def test_databases_get_the_signal_that_does_not_wait_for_clients(inspected: dict[str, Any], signal: str) -> None:
    assert stopping.signal_of(inspected) == signal
