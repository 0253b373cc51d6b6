"""The kernel's files, laid out as they are on nodes with cgroup v1 and v2."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from ansible_collections.bayplan.fleet.plugins.module_utils import cgroups, containers, limiter

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1 << 20
EVERY = frozenset({0, 1, 2, 3})
UNLIMITED = 9223372036854771712


@pytest.fixture
def v1(tmp_path: Path) -> Path:
    """Lay out a process 7 in a slice, on cgroup v1 with cpu and cpuacct in one mount."""
    own = "bayplan.slice/bayplan-pool.slice/docker-abc.scope"
    root = tmp_path / "cgroup"
    write(tmp_path / "proc/mounts", f"cgroup {root}/memory cgroup rw,memory 0 0\ncgroup {root}/cpu cgroup rw,cpuacct,cpu 0 0\n"
          f"cgroup {root}/cpuset cgroup rw,cpuset 0 0\ncgroup {root}/pids cgroup rw,pids 0 0\n")  # fmt: skip
    write(tmp_path / "proc/7/cgroup", f"4:memory:/{own}\n3:cpuset:/{own}\n2:pids:/{own}\n1:cpuacct,cpu:/{own}\n")
    files = {
        "memory/memory.limit_in_bytes": 512 * MIB, "memory/memory.memsw.limit_in_bytes": 768 * MIB,
        "memory/memory.soft_limit_in_bytes": UNLIMITED, "memory/memory.usage_in_bytes": 100 * MIB,
        "memory/memory.stat": f"cache 1\ntotal_inactive_file {20 * MIB}\ntotal_active_file {10 * MIB}\n",
        "memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
        "cpu/cpu.cfs_quota_us": 75000, "cpu/cpu.cfs_period_us": 50000, "cpu/cpu.shares": 512,
        "cpuset/cpuset.cpus": "0-1", "pids/pids.max": "max",
    }  # fmt: skip
    for name, text in files.items():
        folder, _, file = name.partition("/")
        write(root / folder / own / file, f"{text}\n")
    write(root / "memory/bayplan.slice/memory.limit_in_bytes", f"{UNLIMITED}\n")
    write(root / "memory/bayplan.slice/bayplan-pool.slice/memory.limit_in_bytes", f"{256 * MIB}\n")
    return tmp_path


@pytest.fixture
def v2(tmp_path: Path) -> Path:
    """Lay out a process 7 in system.slice, on cgroup v2."""
    root = tmp_path / "cgroup"
    own = root / "system.slice/docker-abc.scope"
    write(tmp_path / "proc/mounts", f"cgroup2 {root} cgroup2 rw,nosuid 0 0\nproc /proc proc rw 0 0\n")
    write(tmp_path / "proc/7/cgroup", "0::/system.slice/docker-abc.scope\n")
    files = {
        "memory.max": 512 * MIB, "memory.swap.max": 512 * MIB, "memory.low": 0, "memory.current": 100 * MIB,
        "memory.stat": f"inactive_file {20 * MIB}\nactive_file {10 * MIB}\n", "memory.events": "low 0\noom 2\noom_kill 1\n",
        "cpu.max": "150000 100000", "cpu.weight": 20, "cpuset.cpus": "0-3", "pids.max": 99,
    }  # fmt: skip
    for name, text in files.items():
        write(own / name, f"{text}\n")
    write(root / "system.slice/memory.max", "max\n")
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def group(place: Path) -> cgroups.Group:
    found = cgroups.group_of(7, cgroups.mounts(place / "proc"), place / "proc")
    assert found is not None
    return found


def test_v1_is_read(v1: Path) -> None:
    found = group(v1)
    assert found.version == 1
    assert cgroups.limits_of(found, EVERY) == {
        "memory": 512 * MIB, "swap": 256 * MIB, "cpus": 1500, "pids": None, "cpuset": "0-1", "shares": 512,
        "reservation": None, "cgroup_parent": "bayplan-pool.slice",
    }  # fmt: skip
    assert cgroups.usage_of(found) == {"memory": 100 * MIB, "unreclaimable": 70 * MIB, "oom_kills": 3}


def test_the_tightest_group_above_counts(v1: Path) -> None:
    assert cgroups.effective_memory(group(v1)) == {"memory": 256 * MIB, "by": "/bayplan.slice/bayplan-pool.slice"}


def test_v2_is_read(v2: Path) -> None:
    found = group(v2)
    assert found.version == 2
    assert cgroups.limits_of(found, EVERY) == {
        "memory": 512 * MIB, "swap": None, "cpus": 1500, "pids": 99, "cpuset": "", "shares": 501,
        "reservation": None, "cgroup_parent": "",
    }  # fmt: skip
    assert cgroups.usage_of(found) == {"memory": 100 * MIB, "unreclaimable": 70 * MIB, "oom_kills": 1}
    assert cgroups.effective_memory(found)["by"] == "/system.slice/docker-abc.scope"


def test_a_kernel_that_does_not_count_swap_says_nothing_of_it(v1: Path) -> None:
    for file in v1.rglob("memory.memsw.limit_in_bytes"):
        file.unlink()
    assert "swap" not in cgroups.limits_of(group(v1))


@pytest.mark.parametrize("text", ["1:memory:/\n", "0::/\n", ""])
def test_a_process_in_the_nodes_own_group_is_no_container(tmp_path: Path, text: str) -> None:
    write(tmp_path / "proc/7/cgroup", text)
    where = {"memory": tmp_path, "": tmp_path}
    assert cgroups.group_of(7, where, tmp_path / "proc") is None


def test_a_process_that_ended_has_no_group(tmp_path: Path) -> None:
    assert cgroups.group_of(8, {"memory": tmp_path}, tmp_path / "proc") is None
    assert cgroups.group_of(0, {"memory": tmp_path}, tmp_path / "proc") is None


def test_the_nodes_cores_are_those_of_its_root_group(tmp_path: Path) -> None:
    write(tmp_path / "cpuset.cpus", "2-3\n")
    assert cgroups.every_core({"cpuset": tmp_path}) == frozenset({2, 3})
    write(tmp_path / "two/cpuset.cpus.effective", "0,5\n")
    assert cgroups.every_core({"": tmp_path / "two"}) == frozenset({0, 5})


def test_on_v2_the_kernel_is_asked_to_give_back_before_it_is_cut_in_steps(v2: Path) -> None:
    found = group(v2)
    folder = found.folder("memory")
    assert folder is not None
    (folder / "memory.reclaim").touch()
    steps = limiter._gently(found, 40 * MIB)
    assert (folder / "memory.reclaim").read_text() == str(60 * MIB)
    assert steps == [85 * MIB, 70 * MIB, 55 * MIB, 40 * MIB]
    assert limiter._gently(found, 200 * MIB) == [200 * MIB]


def test_a_process_number_that_is_anothers_now_is_not_read(v1: Path) -> None:
    kernel = containers.Kernel(cgroups.mounts(v1 / "proc"), EVERY, v1 / "proc")
    assert kernel.group({"Id": "abc", "State": {"Pid": 7}}) is not None
    assert kernel.group({"Id": "def", "State": {"Pid": 7}}) is None
