"""Limits in one form, their differences, and the commands from one to the other."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.bayplan.fleet.plugins.module_utils import cpuset, limits, resize, show
from hypothesis import given
from hypothesis import strategies as st

MIB = 1 << 20
EVERY = frozenset(range(8))
NOTHING = dict.fromkeys(("memory", "swap", "cpus", "pids", "shares", "reservation")) | {
    "cpuset": "",
    "cgroup_parent": "",
}


@given(st.frozensets(st.integers(0, 300)))
def test_a_list_of_cores_is_read_as_it_is_written(cores: frozenset[int]) -> None:
    assert cpuset.cores_of(cpuset.text_of(cores)) == cores


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0-3,8", [0, 1, 2, 3, 8]), ("", []), ("5", [5]), (" 1, 3-4\n", [1, 3, 4])],
)
def test_a_list_of_cores_is_read(text: str, expected: list[int]) -> None:
    assert sorted(cpuset.cores_of(text)) == expected


def test_all_cores_are_no_list() -> None:
    assert cpuset.normal("0-7", EVERY) == ""
    assert cpuset.normal("7,6,5", EVERY) == "5-7"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ({}, {}),
        ({"Memory": 0, "MemorySwap": 0, "NanoCpus": 0, "PidsLimit": None, "CpusetCpus": "", "CpuShares": 0}, {}),
        ({"Memory": 8 * MIB, "MemorySwap": 16 * MIB}, {"memory": 8 * MIB}),
        ({"Memory": 8 * MIB, "MemorySwap": 8 * MIB}, {"memory": 8 * MIB, "swap": 0}),
        ({"Memory": 8 * MIB, "MemorySwap": -1}, {"memory": 8 * MIB, "swap": -1}),
        ({"Memory": 0, "MemorySwap": -1}, {}),
        ({"NanoCpus": 750_000_000}, {"cpus": 750}),
        ({"CpuQuota": 50_000}, {"cpus": 500}),
        ({"CpuQuota": 50_000, "CpuPeriod": 25_000}, {"cpus": 2000}),
        ({"CpuQuota": -1}, {}),
        ({"PidsLimit": -1}, {}),
        ({"PidsLimit": 5, "CpuShares": 1024, "CpusetCpus": "0-7"}, {"pids": 5}),
        ({"MemoryReservation": 5, "CgroupParent": "x.slice"}, {"reservation": 5, "cgroup_parent": "x.slice"}),
    ],
)
def test_dockers_record_is_read(host: dict[str, Any], expected: dict[str, Any]) -> None:
    assert limits.of_record(host, EVERY) == {**NOTHING, **expected}


@pytest.mark.parametrize(
    ("wanted", "found", "kernel", "expected"),
    [
        ({"memory": 8 * MIB}, {"memory": 8 * MIB}, False, set()),
        ({"memory": 8 * MIB + 7}, {"memory": 8 * MIB}, False, set()),  # the kernel rounds down to pages
        ({"memory": 8 * MIB + 4096}, {"memory": 8 * MIB}, False, {"memory", "swap"}),
        ({"memory": 8 * MIB, "swap": 8 * MIB}, {"memory": 8 * MIB}, False, set()),
        ({"memory": 8 * MIB, "swap": 0}, {"memory": 8 * MIB}, False, {"swap"}),
        ({"memory": 8 * MIB, "swap": -1}, {"memory": 8 * MIB}, False, {"swap"}),
        ({}, {"memory": 8 * MIB}, True, {"memory"}),
        ({"shares": 1024}, {}, False, set()),
        ({}, {"pids": 28909}, True, set()),  # systemd's default is nobody's wish
        ({}, {"pids": 28909}, False, {"pids"}),
        ({"pids": 5}, {"pids": 28909}, True, {"pids"}),
        ({"cpus": 500, "cgroup_parent": "a.slice"}, {"cpus": 501}, False, {"cpus", "cgroup_parent"}),
    ],
)
def test_differences_are_those_that_count(
    wanted: dict[str, Any], found: dict[str, Any], *, kernel: bool, expected: set[str]
) -> None:
    said = limits.differences(limits.normal(wanted), limits.normal(found), kernel=kernel)
    assert set(said) == expected


@given(st.integers(2, 262144))
def test_shares_survive_the_way_to_a_weight_and_back(shares: int) -> None:
    """Cgroup v2 has weights: what runc made of our shares is our shares, whichever formula its version has."""
    for made in (limits.weight(shares), limits.late_weight(shares)):
        found = {"shares": None if made == 100 else limits.shares_of(made)}
        assert limits.same("shares", {"shares": shares}, found, cgroup=2)


def test_other_shares_are_told_apart_also_as_weights() -> None:
    for made in (limits.weight(600), limits.late_weight(600)):
        assert not limits.same("shares", {"shares": 512}, {"shares": limits.shares_of(made)}, cgroup=2)


def test_memory_comes_last_and_alone() -> None:
    wanted = limits.normal(
        {"memory": 8 * MIB, "reservation": 4 * MIB, "cpus": 1500, "pids": None, "cpuset": "", "shares": 7}
    )
    keys = ["memory", "reservation", "swap", "cpus", "pids", "cpuset", "shares"]
    assert resize.commands(keys, wanted, {}, EVERY) == [
        ["--cpus", "1.5", "--cpuset-cpus", "0-7", "--pids-limit", "-1", "--cpu-shares", "7"],
        ["--memory", "8388608", "--memory-swap", "16777216", "--memory-reservation", "4194304"],
    ]


def test_a_change_of_swap_says_memory_too() -> None:
    wanted = limits.normal({"memory": 8 * MIB, "swap": 0})
    assert resize.commands(["swap"], wanted, {}, EVERY) == [["--memory", "8388608", "--memory-swap", "8388608"]]


def test_a_container_with_a_quota_keeps_to_quotas() -> None:
    """Docker refuses --cpus for it: two ways to say the same would conflict."""
    assert resize.commands(["cpus"], {"cpus": 1500}, {"CpuQuota": 50_000}, EVERY) == [["--cpu-quota", "150000"]]
    assert resize.commands(["cpus"], {"cpus": 1500}, {"CpuQuota": 5_000, "CpuPeriod": 10_000}, EVERY) == [
        ["--cpu-quota", "15000"]
    ]
    assert resize.impossible(["cpus"], {"cpus": None}, {"CpuQuota": 50_000}, 1) == []


@pytest.mark.parametrize(
    ("key", "wanted", "cgroup", "expected"),
    [
        ("memory", {}, 1, True),
        ("memory", {"memory": 5}, 1, False),
        ("swap", {"memory": 5, "swap": -1}, 1, True),
        ("cpus", {}, 1, True),
        ("pids", {}, 1, False),
        ("cpuset", {}, 1, False),
        ("shares", {}, 1, False),
        ("shares", {}, 2, True),
        ("reservation", {}, 1, True),
        ("cgroup_parent", {"cgroup_parent": "a.slice"}, 1, True),
    ],
)
def test_what_cannot_be_had_live_is_known(key: str, wanted: dict[str, Any], cgroup: int, *, expected: bool) -> None:
    assert bool(resize.impossible([key], limits.normal(wanted), {}, cgroup)) is expected


@given(st.integers(1, 1 << 40), st.integers(0, 1 << 40))
def test_a_descent_goes_down_and_ends_at_its_goal(goal: int, more: int) -> None:
    steps = resize.descent(goal + more, goal)
    assert steps[-1] == goal
    assert list(steps) == sorted(steps, reverse=True) or steps[-2] - goal < limits.PAGE
    assert all(step <= goal + more for step in steps)


@pytest.mark.parametrize(("used", "limit", "fits"), [(100, 105, True), (100, 104, False), (0, 1, True)])
def test_a_cut_has_to_leave_a_margin(used: int, limit: int, *, fits: bool) -> None:
    assert (resize.too_small("x", limit, {"unreclaimable": used}, 5) == "") is fits


@pytest.mark.parametrize(
    ("amount", "words"), [(5, "5 B"), (1536, "1.5 KiB"), (150 * MIB, "150 MiB"), (3 << 30, "3 GiB")]
)
def test_amounts_are_shown(amount: int, words: str) -> None:
    assert show.show(amount) == words
