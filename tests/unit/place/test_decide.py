"""What a decision promises beside its numbers: stability, honesty about proofs, and a late import."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from bayplan.model.names import Instance, Name
from bayplan.model.placement import Placement, Seat
from bayplan.place import decide, verify
from bayplan.place.conflict import find
from bayplan.place.exact import solve

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayplan.model.fleet import Fleet

    FleetOf = Callable[[dict[str, Any]], Fleet]

WEB, DB = Instance(Name("p", "web")), Instance(Name("p", "db"))


def test_importing_the_room_does_not_import_the_solver() -> None:
    code = "import sys, bayplan.place; sys.exit('ortools' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], check=False, env={"PYTHONPATH": ":".join(sys.path)}).returncode
        == 0
    )


def test_verify_asks_no_solver(fleet_of: FleetOf) -> None:
    code = "import sys, bayplan.place as p; from bayplan.model.fleet import Fleet; from bayplan.model.placement import Placement;"
    code += "p.verify(Fleet('f', 'e', {}, {}), Placement()); sys.exit('ortools' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], check=False, env={"PYTHONPATH": ":".join(sys.path)}).returncode
        == 0
    )
    assert verify(fleet_of({"nodes": {"a": {}}}), Placement()) == ()


def test_the_last_decision_is_kept_where_nothing_speaks_against_it(fleet_of: FleetOf) -> None:
    fleet = fleet_of({"nodes": {"a": {}, "b": {}, "c": {}}, "services": {"web": {}, "db": {"stands": "a"}}})
    last = Placement({WEB: Seat("c"), DB: Seat("b")})
    kept = decide(fleet, last).placement
    assert kept is not None
    assert kept.seats == {WEB: Seat("c"), DB: Seat("a")}  # what stands moves for no earlier plan


def test_cards_are_kept_too(fleet_of: FleetOf) -> None:
    fleet = fleet_of(
        {"nodes": {"a": {"gpus": [8, 8, 8]}}, "services": {"web": {"gpu": {"count": 1}}, "db": {"gpu": 6}}}
    )
    last = Placement({WEB: Seat("a", (1,)), DB: Seat("a", (2,))})
    kept = decide(fleet, last).placement
    assert kept is not None
    assert kept.seats == last.seats


def test_the_fuller_machine_gets_less(fleet_of: FleetOf) -> None:
    words = {f"s{number}": {"memory": 2} for number in range(6)}
    nodes = {"a": {"memory": 16}, "b": {"memory": 16}, "c": {"memory": 16}}
    placement = decide(fleet_of({"nodes": nodes, "services": words})).placement
    assert placement is not None
    assert [len(placement.on(node)) for node in "abc"] == [2, 2, 2]


def test_stats_tell_each_goal_and_whether_it_is_proven(fleet_of: FleetOf) -> None:
    stats = decide(
        fleet_of({"nodes": {"a": {}, "b": {}}, "services": {"web": {"memory": 8}, "db": {"memory": 8}}})
    ).stats
    assert (stats["goal.balance"], stats["proven.balance"]) == (50, 1)


def test_a_bounded_search_for_causes_says_that_it_was_bounded(
    fleet_of: FleetOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find, "SHRINK_BUDGET", 4)
    services = {f"s{number}": {"memory": 5} for number in range(8)}
    (conflict,) = decide(fleet_of({"nodes": {"a": {"memory": 16}}, "services": services})).conflicts
    assert not conflict.proven


def test_an_answer_that_is_not_found_in_time_is_no_proof(fleet_of: FleetOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solve, "FEASIBLE_EFFORT", 0.0)
    services = {f"s{number}": {"memory": 3 + number % 5} for number in range(30)}
    decision = decide(fleet_of({"nodes": {f"n{number}": {"memory": 16} for number in range(10)}, "services": services}))
    assert decision.placement is None
    assert [finding.rule for finding in decision.findings] == ["placement/undecided"]


def test_verify_tells_everything_that_no_longer_holds(fleet_of: FleetOf) -> None:
    fleet = fleet_of(
        {
            "nodes": {"a": {"memory": 4, "reserve": {"memory": 1}}, "b": {"gpus": [8, 8]}},
            "services": {
                "web": {"memory": 3, "ports": [80]},
                "db": {"memory": 3, "ports": [80]},
                "ai": {"gpu": {"count": 1}},
                "ocr": {"gpu": 6},
                "new": {},
            },
        }
    )
    seats = {WEB: Seat("a"), DB: Seat("a"), Instance(Name("p", "gone")): Seat("z")}
    seats |= {Instance(Name("p", "ai")): Seat("b", (1,)), Instance(Name("p", "ocr")): Seat("b", (1,))}
    found = {finding.rule: finding for finding in verify(fleet, Placement(seats))}
    assert set(found) == {
        "capacity/over-line",
        "network/port-taken",
        "gpu/given-twice",
        "placement/missing",
        "placement/stale",
        "node/unknown",
    }
    assert found["capacity/over-line"].arithmetic == "6 GiB + reserve 1 GiB > 4 GiB"
    assert found["gpu/given-twice"].message == "card 1 of b is given whole and shared: p/ai, p/ocr"


@pytest.mark.parametrize("given", [(), (0, 1), (5,)])
def test_verify_counts_cards(fleet_of: FleetOf, given: tuple[int, ...]) -> None:
    fleet = fleet_of({"nodes": {"a": {"gpus": [8, 8]}}, "services": {"web": {"gpu": 2}}})
    (finding,) = verify(fleet, Placement({WEB: Seat("a", given)}))
    assert finding.rule == "gpu/cards"


def test_verify_sums_vram(fleet_of: FleetOf) -> None:
    fleet = fleet_of({"nodes": {"a": {"gpus": [8, 8]}}, "services": {"web": {"gpu": 5}, "db": {"gpu": 5}}})
    (finding,) = verify(fleet, Placement({WEB: Seat("a", (0,)), DB: Seat("a", (0,))}))
    assert (finding.rule, finding.arithmetic) == ("gpu/over-line", "10 GiB > 8 GiB of 8 GiB")
