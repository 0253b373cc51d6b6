"""The one rule: a node over its line never becomes fuller, and none goes over; and what a moment must have kept."""

from __future__ import annotations

from typing import Any

import pytest
from demo.looks import Look, differences, identities, restarted
from demo.wanted import Wanted, healthy, missing, unlike
from demo.watch import Level, Sample, breaches, levels


def course(*samples: dict[str, int | None], later: dict[str, int] | None = None, every: float = 2) -> list[int]:
    """Return how full a node was, sample by sample, 100 being reserved."""
    made = [Sample(number * every, running) for number, running in enumerate(samples)]
    return [level.amount for level in levels(made, later or {}, 100)]


def test_limits_and_reserve_add_up() -> None:
    assert course({"a/x/1": 10, "a/y/1": 20}, {"a/x/1": 5, "a/y/1": 20}) == [130, 125]


def test_unbounded_counts_with_its_later_limit() -> None:
    assert course({"a/x/1": None, "a/z/1": None}, {"a/x/1": 7}, later={"a/x": 7}) == [107, 107]


def test_a_container_that_is_replaced_keeps_its_place() -> None:
    assert course({"a/x/1": 10}, {}, {}, {"a/x/1": 6}) == [110, 106, 106, 106]


def test_a_container_that_is_away_for_long_does_not() -> None:
    assert course({"a/x/1": 10}, {}, {"a/x/1": 10}, every=100) == [110, 100, 110]


def test_who_stops_for_good_is_not_counted() -> None:
    assert course({"a/x/1": 10}, {}, {}) == [110, 100, 100]


@pytest.mark.parametrize(
    ("amounts", "line", "found"),
    [
        ((9, 8, 8, 7), 5, 0),  # over, and only ever less
        ((9, 8, 9), 5, 1),  # over, and fuller
        ((3, 5, 4, 5), 5, 0),  # under, up to the line
        ((3, 6), 5, 1),  # under, and over
        ((9, 4, 5, 6), 5, 1),
    ],
)
def test_the_rule(amounts: tuple[int, ...], line: int, found: int) -> None:
    assert len(breaches([Level(float(at), one) for at, one in enumerate(amounts)], line)) == found


def container(running: bool = True, **more: Any) -> dict[str, Any]:  # noqa: FBT001, FBT002
    kernel = {"memory": 8, "cpus": None, "shares": 1024} if running else None
    made = {
        "id": "1",
        "started": "0",
        "image": "i",
        "limits": {"memory": 8},
        "mounts": [],
        "health": "",
        "kernel": kernel,
    }
    return {**made, "running": running, **more}


def at(
    node: str, files: dict[str, str] | None = None, volumes: dict[str, str] | None = None, **containers: Any
) -> Look:
    return Look(node, {key.replace("_", "/"): one for key, one in containers.items()}, files or {}, volumes or {}, 0, 0)


END = Wanted(
    runs={"p/web/1": "two"},
    rests={"p/job/1": "one"},
    limits={"p/web": {"memory": 8, "cpus": None, "shares": None}, "p/job": {"memory": 8, "cpus": 100, "shares": 2}},
    later={},
    lines={},
    reserves={},
)
BEFORE = {"p/web/1": "one", "p/job/1": "one"}


def test_as_wanted() -> None:
    now = {"one": at("one", p_job_1=container(running=False)), "two": at("two", p_web_1=container())}
    assert missing(END, BEFORE, now) == []
    assert unlike(END, now) == []
    assert healthy(now) == []


def test_not_as_wanted() -> None:
    now = {"one": at("one", p_web_1=container(health="unhealthy"), p_job_1=container()), "two": at("two")}
    assert missing(END, BEFORE, now) == [
        "p/job/1 should rest, and runs on one",
        "p/web/1 should run on two, and runs on one",
    ]
    assert unlike(END, now) == [
        "one: p/job/1 has cpus None in the kernel, 100 in the policy",
        "one: p/job/1 has shares 1024 in the kernel, 2 in the policy",
    ]
    assert healthy(now) == ["one: p/web/1 is unhealthy"]


def test_lost_and_doubled() -> None:
    now = {"one": at("one", p_web_1=container()), "two": at("two", p_web_1=container())}
    assert missing(END, {**BEFORE, "p/old/1": "one"}, now) == [
        "p/job/1 should rest on one, and is not there",
        "p/old/1 ran before, and nothing of it runs or rests",
        "p/web/1 runs on two nodes",
    ]


def test_a_copy_that_is_taken_away_is_not_lost() -> None:
    now = {"one": at("one", p_job_1=container(running=False)), "two": at("two", p_web_1=container())}
    assert missing(END, {**BEFORE, "p/web/2": "one"}, now) == []


def test_two_moments() -> None:
    old = {"one": at("one", {"/f": "a"}, {"v": "1"}, p_web_1=container())}
    same = {"one": at("one", {"/f": "a"}, {"v": "1", "new": ""}, p_web_1=container(id="2", started="9"))}
    assert differences(old, same) == []
    assert restarted(old, same) == ["p/web/1"]
    assert identities(old) != identities(same)
    other = {"one": at("one", {"/f": "b"}, {}, p_web_1=container(limits={"memory": 9}))}
    assert [line.split(":")[1].split()[0] for line in differences(old, other)] == ["runs", "file", "volume"]
