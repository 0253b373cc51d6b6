from __future__ import annotations

from typing import Any

import pytest

from bayplan.rollout.audit import audit, cores

GIB = 2**30
EXPECTED = {
    "shop/web": {
        "copies": 1,
        "run": "always",
        "limits": {
            "memory": GIB,
            "swap": None,
            "cpus": 500,
            "pids": None,
            "cpuset": "0-1",
            "shares": 512,
            "reservation": None,
            "cgroup_parent": "",
        },
        "charge": {"memory": GIB, "cpus": 500},
    }
}
TRUE = {
    "memory": GIB,
    "swap": None,
    "cpus": 500,
    "pids": None,
    "cpuset": "0,1",
    "shares": 512,
    "reservation": None,
    "cgroup_parent": "",
}


def container(
    configured: dict[str, Any] | None = None, kernel: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    base = {
        "project": "shop",
        "service": "web",
        "number": 1,
        "state": "running",
        "health": "healthy",
        "restart_policy": "always",
    }
    own = {"configured": {**TRUE, **(configured or {})}, "kernel": {**TRUE, **(kernel or {})}}
    return {**base, **own, **more}


def told(*containers: dict[str, Any], expected: dict[str, Any] | None = None) -> list[str]:
    facts = {"containers": list(containers)}
    return [drift.words() for drift in audit(expected or EXPECTED, facts, "front")]


def test_a_node_that_is_as_the_policy_says_has_no_drift() -> None:
    assert told(container()) == []


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (container(kernel={"memory": 2 * GIB}), "front  shop/web  memory: policy 1 GiB, kernel 2 GiB"),
        (container(configured={"memory": 2 * GIB}, kernel={"memory": 2 * GIB}), "front  shop/web  memory: policy 1 GiB, docker 2 GiB"),
        (container(kernel={"cpus": None}), "front  shop/web  cpus: policy 0.5 CPU, kernel none"),
        (container(kernel={"cpuset": "0"}), "front  shop/web  cpuset: policy 0-1, kernel 0"),
        (container(configured={"shares": None}), "front  shop/web  shares: policy 512, docker none"),
        (container(configured={"cgroup_parent": "x.slice"}), "front  shop/web  cgroup_parent: policy none, docker x.slice"),
        (container(health="unhealthy"), "front  shop/web  health: policy healthy, docker unhealthy"),
        (container(state="exited", kernel=None), "front  shop/web  run: policy always, node 0 of 1 running"),
    ],
)  # fmt: skip
def test_a_difference_is_named_where_it_first_shows(found: Any, words: str) -> None:
    assert told(found) == [words]


def test_a_missing_copy_is_a_drift() -> None:
    assert told() == ["front  shop/web  copies: policy 1, node 0"]


def test_a_resting_service_need_not_run() -> None:
    resting = {"shop/web": {**EXPECTED["shop/web"], "run": "on-demand"}}
    assert told(container(state="exited", kernel=None), expected=resting) == []


def test_a_service_that_runs_once_may_have_ended() -> None:
    assert told(container(state="exited", kernel=None, restart_policy="no")) == []


def test_a_limit_nobody_asked_for_is_a_drift() -> None:
    free = {"shop/web": {**EXPECTED["shop/web"], "limits": {**EXPECTED["shop/web"]["limits"], "memory": None}}}
    assert told(container(), expected=free) == ["front  shop/web  memory: policy none, docker 1 GiB"]


def test_the_kernel_may_round_to_pages() -> None:
    assert told(container(kernel={"memory": GIB - 4096})) == []


@pytest.mark.parametrize(("text", "found"), [("0-2,5", {0, 1, 2, 5}), ("3", {3}), ("", set())])
def test_cores_are_read_as_the_kernel_writes_them(text: str, found: set[int]) -> None:
    assert cores(text) == found
