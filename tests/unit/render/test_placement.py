"""`placement.yml` says where everything stands, and is read back as it was written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bayplan.errors import StaleError
from bayplan.model.names import Instance, Name
from bayplan.model.placement import Placement, Seat
from bayplan.render.placement import placement_text, read_placement

if TYPE_CHECKING:
    from pathlib import Path

WEB, LLM = Name("shop", "web"), Name("012", "on")
SEATS = {
    Instance(WEB, 10): Seat("b"),
    Instance(WEB, 2): Seat("012"),
    Instance(WEB): Seat("yes"),
    Instance(LLM): Seat("gpu-1", (0, 3)),
}


def test_the_text() -> None:
    assert placement_text(Placement(SEATS), "policies/shop").splitlines()[2:] == [
        "schema_version: 1",
        "standing:",
        '  "012/on":',
        "    node: gpu-1",
        "    gpus:",
        "      - 0",
        "      - 3",
        '  shop/web: "yes"',
        '  "shop/web#2": "012"',
        '  "shop/web#10": b',
    ]


def test_it_is_read_back(tmp_path: Path) -> None:
    file = tmp_path / "placement.yml"
    file.write_text(placement_text(Placement(dict(reversed(SEATS.items()))), "policies/shop"))
    found, findings = read_placement(file)
    assert (found.seats if found else None, findings) == (SEATS, ())
    assert read_placement(tmp_path / "nothing.yml") == (None, ())


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("schema_version: 1\n", 1),
        ("schema_version: 1\nstanding: [a]\n", 1),
        ("schema_version: '1'\nstanding: {}\n", 1),
        ("standing: {shop/web: a}\n", 1),
        ("schema_version: 1\nstanding:\n  shop/web: [a]\n", 3),
        ("schema_version: 1\nstanding:\n  web: a\n", 3),
        ("schema_version: 1\nstanding:\n  shop/web#two: a\n", 3),
        ("schema_version: 1\nstanding:\n  shop/web: {node: a, gpus: [x]}\n", 3),
        ("schema_version: 1\nstanding:\n  shop/web: 5\n", 3),
    ],
)
def test_what_is_no_placement_is_said(tmp_path: Path, text: str, line: int) -> None:
    file = tmp_path / "placement.yml"
    file.write_text(text)
    _, (finding,) = read_placement(file)
    assert (finding.rule, finding.is_error, finding.place.line) == ("placement/unreadable", True, line)
    assert "bayplan compile --replan" in finding.remedy


@pytest.mark.parametrize("rest", ["standing: {}", "seats: []", ""])
def test_a_newer_one_is_refused_whatever_it_holds(tmp_path: Path, rest: str) -> None:
    file = tmp_path / "placement.yml"
    file.write_text(f"schema_version: 2\n{rest}\n")
    with pytest.raises(StaleError, match="newer bayplan"):
        read_placement(file)
