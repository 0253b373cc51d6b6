"""The record tells what was measured, and says so where a check failed."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from demo.derive import Derived, Project
from demo.looks import Look
from demo.record import markdown
from demo.story import Chapter
from demo.timeline import Timeline
from demo.wanted import Wanted
from demo.watch import Level

MIB = 2**20


def look(node: str, received: int, **running: bool) -> Look:
    containers: dict[str, Any] = {
        key.replace("_", "/"): {"running": here, "started": "1" if node == "one" else "2"}
        for key, here in running.items()
    }
    return Look(node, containers, {}, {}, received, 0)


def test_record() -> None:
    services = {"web": {}, "job": {}}
    project = Project("shop", "one", "/opt/shop", {"services": services}, "")
    derived = Derived(Path("shop-lab"), {"shop": project}, {"one": {}, "two": {}}, ("one is larger",))
    chapter = Chapter(
        derived,
        left_out={("shop", "old"): "port 80/tcp is shop/web's on one"},
        before={"one": look("one", 0, shop_web_1=True, shop_job_1=True), "two": look("two", 0)},
        after={"one": look("one", MIB, shop_job_1=False), "two": look("two", 3 * MIB, shop_web_1=True)},
        levels={"one": [Level(1, 9 * MIB), Level(3, 9 * MIB), Level(5, 4 * MIB)], "two": [Level(1, 2 * MIB)]},
        wanted=Wanted({}, {}, {}, {}, {"one": 5 * MIB, "two": 5 * MIB}, {}),
        failures={"all is well": [], "all is there": ["web is not", "job is not"]},
        seconds={"bayplan apply": 61.25},
        said={"bayplan apply": "1 wave\n    2.0 s  1. all: it goes\n    2.5 s    one        gate: 9 MiB promised\n"},
    )
    timeline = Timeline(io.StringIO())
    text = markdown("shop", chapter, timeline)
    for line in (
        "- one is larger",
        "- `shop/old` did not start in full before: port 80/tcp is shop/web's on one",
        "| bayplan apply | 61.2 |",
        "| one | 2 | 0 | 1 | 1.0 | 0.0 |",
        "| two | 0 | 1 | 0 | 3.0 | 0.0 |",
        "Moved: 1 (`shop/web/1`). Started again, moves counted: 1. Never stopped, though most got new limits: 0.",
        "    2.0 s  1. all: it goes",
        "| one | 5.0 | 9.0 | 9.0 | 4.0 | 3 |",
        "| one | 1: 9.0 · 5: 4.0 |",
        "| all is well | held |",
        "| all is there | **failed**: web is not; job is not |",
    ):
        assert line in text.splitlines(), line
    assert "gate" not in text.replace("the gates before", "")


def test_timeline() -> None:
    out = io.StringIO()
    Timeline(out).say("bayplan plan", "thanos", "4 changes")
    assert out.getvalue().split() == ["0.0", "s", "bayplan", "plan", "thanos", "4", "changes"]
