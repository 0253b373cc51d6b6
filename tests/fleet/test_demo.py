"""A small story of BEV on real nodes: some thirty services, there and back. `make demo-fleet` plays all 127."""

from __future__ import annotations

import io
from collections import Counter
from itertools import pairwise

import pytest
from demo.looks import restarted, where
from demo.record import markdown
from demo.story import Chapter, play
from demo.timeline import Timeline

MOVERS = {
    "bev/autonomous-controller-1/1",
    "bev/autonomous-controller-2/1",
    "bev/doc-analyzer-1/1",
    "bev/doc-analyzer-2/1",
    "bev/doc-analyzer-3/1",
    "bev/memory-manager/1",
    "bev/swarm-master-1/1",
    "bev/swarm-master-2/1",
}


@pytest.fixture(scope="module")
def timeline() -> Timeline:
    return Timeline(io.StringIO())


@pytest.fixture(scope="module")
def chapter(tmp_path_factory: pytest.TempPathFactory, timeline: Timeline) -> Chapter:
    """Play it once; what it found is asked by each test."""
    return play("bev", tmp_path_factory.mktemp("demo"), timeline, services=30)


def test_every_check_held(chapter: Chapter) -> None:
    assert {name: found for name, found in chapter.failures.items() if found} == {}
    assert len(chapter.failures) == 13


def test_thirty_services_ran(chapter: Chapter) -> None:
    assert sum(len(project.bodies) for project in chapter.derived.projects.values()) == 30
    assert Counter(where(chapter.before).values()) == {"thanos": 21, "starlord": 5, "oracle1": 3}
    assert list(chapter.left_out) == [("bev", "intelowl-celery-worker"), ("bev", "live2d-avatar")]


def test_eight_moved_and_seven_rest(chapter: Chapter) -> None:
    before, after = where(chapter.before), where(chapter.after)
    assert {key for key in before.keys() & after.keys() if before[key] != after[key]} == MOVERS
    assert Counter(after.values()) == {"thanos": 13, "starlord": 8, "oracle1": 3}
    resting = {key for look in chapter.after.values() for key, one in look.containers.items() if not one["running"]}
    assert len(resting) == 7


def test_limits_alone_restart_nobody(chapter: Chapter) -> None:
    """Who only gets other limits runs on: of what stays on oracle1, nothing was started again."""
    again = restarted(chapter.before, chapter.after)
    assert {key.partition("/")[0] for key in again} == {"bev"}
    assert set(again) >= MOVERS


def test_the_nodes_were_watched_all_the_time(chapter: Chapter) -> None:
    assert sorted(chapter.levels) == ["oracle1", "starlord", "thanos"]
    for levels in chapter.levels.values():
        gaps = [after.at - before.at for before, after in pairwise(levels)]
        assert len(levels) > 5
        assert max(gaps) < 10


def test_thanos_was_over_its_line_and_is_not(chapter: Chapter) -> None:
    assert chapter.wanted is not None
    line, levels = chapter.wanted.lines["thanos"], chapter.levels["thanos"]
    assert levels[0].amount > line > levels[-1].amount


def test_the_record_tells_all_of_it(chapter: Chapter, timeline: Timeline) -> None:
    text = markdown("bev", chapter, timeline)
    assert (
        "30 services of 5 Compose projects on 3 nodes" in text or "30 services of 4 Compose projects on 3 nodes" in text
    )
    assert text.count("| held |") == 13
