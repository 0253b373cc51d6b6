"""Fleets of a real size: solved, and proven."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayplan.place import decide, verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayplan.model.fleet import Fleet

    FleetOf = Callable[[dict[str, Any]], Fleet]


def racks() -> dict[str, Any]:
    """Return 33 nodes: whole cards in two racks, cut ones in a third, none in two."""
    half = {"memory": 90, "gpu_memory": 90}
    whole = {"cpus": 128, "memory": 1024, "threads": 2, "gpus": [80] * 8, "taints": ["gpu"], "ceilings": half}
    cut = {**whole, "mig": ["3g.40gb", "2g.20gb", "1g.10gb", "1g.10gb"]}
    plain = {"cpus": 64, "memory": 512, "ceilings": half}
    kinds = {"r1": (7, whole), "r2": (8, whole), "r3": (4, cut), "r4": (7, plain), "r5": (7, plain)}
    return {
        f"{rack}-{number}": {**words, "labels": {"rack": rack}}
        for rack, (count, words) in kinds.items()
        for number in range(count)
    }


def test_a_shop_with_cards_in_racks(fleet_of: FleetOf) -> None:
    tolerant = {"tolerates": ["gpu"], "cores": "exclusive"}
    services = {
        "llm": {**tolerant, "copies": 6, "cpus": 16, "memory": 160, "gpu": {"count": 4}, "spread": "rack"},
        "embedder": {**tolerant, "copies": 8, "gpu": "1g.10gb", "spread": "node", "apart": {"node": ["trainer"]}},
        "trainer": {**tolerant, "copies": 8, "cpus": 32, "memory": 400, "gpu": {"count": 8}},
        "notebook": {**tolerant, "copies": 12, "cpus": 2, "memory": 16, "gpu": "2g.20gb"},
        "vision": {**tolerant, "copies": 4, "cpus": 2, "memory": 8, "gpu": 12},
        "gateway": {**tolerant, "copies": 3, "ports": [443], "spread": "rack", "require": {"rack": ["r1", "r4", "r5"]}},
    }
    fleet = fleet_of({"nodes": racks(), "services": services})
    placement = decide(fleet).placement
    assert placement is not None
    assert placement.optimal
    assert verify(fleet, placement) == ()
    used = [
        (seat.node, card)
        for one, seat in placement.seats.items()
        if one.service.name in {"llm", "trainer"}
        for card in seat.gpus
    ]
    assert len(used) == len(set(used)) == 6 * 4 + 8 * 8


def test_a_platform_that_mostly_stays(fleet_of: FleetOf) -> None:
    """120 services on three machines; eight are fixed elsewhere, one machine is over its line by four more."""
    held = {f"old{number:02}": {"memory": 0.5, "stands": "b", "binds": ["./x"]} for number in range(60)}
    free = {f"app{number:02}": {"memory": 1, "stands": "a", "networks": {"net": None}} for number in range(52)}
    moved = {
        f"gpu{number}": {"memory": 2, "stands": "a", "at": "c", "gpu": 2, "needs": ["app00"]} for number in range(8)
    }
    nodes = {
        "a": {"memory": 48, "cpus": 64},
        "b": {"memory": 31, "cpus": 64},
        "c": {"memory": 64, "cpus": 64, "gpus": [24]},
    }
    fleet = fleet_of({"nodes": nodes, "services": {**held, **free, **moved}})
    placement = decide(fleet).placement
    assert placement is not None
    assert placement.optimal
    assert verify(fleet, placement) == ()
    assert len(placement.reasons) == 8 + 4
