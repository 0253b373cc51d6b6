"""charge = max(request, limit ÷ overcommit), an estimate only where nothing is said, nothing is unbounded."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayplan.analyse.charge import charge, unbounded
from bayplan.analyse.pools import pool_charge
from bayplan.model.fleet import Fleet, Pool, Tier
from bayplan.model.names import Name
from bayplan.model.quantity import Origin, Quantity
from bayplan.model.service import GpuAsk, Service

AMOUNTS = st.integers(0, 10**12)
often = settings(derandomize=True, deadline=None, max_examples=100)


def charged(resource: str, overcommit: dict[str, Fraction] | None = None, **amounts: int) -> int | None:
    """Return the charge of a service with these amounts: `request`, `limit`, `estimate`."""
    halves: dict[str, Any] = {
        f"{half}s": {resource: Quantity(amounts[half])} if half in amounts else {}
        for half in ("request", "limit", "estimate")
    }
    service = Service(Name("p", "s"), tier="t", **halves)
    fleet = Fleet("f", "default", {}, {service.name: service}, tiers={"t": Tier("t", overcommit=overcommit or {})})
    found = charge(fleet, service, resource)
    assert unbounded(fleet, service, resource) is (found is None)
    return found.amount if found else None


@pytest.mark.parametrize(
    ("resource", "amounts", "overcommit", "expected"),
    [
        ("memory", {"limit": 8}, {}, 8),
        ("memory", {"request": 4}, {}, 4),
        ("memory", {"request": 4, "limit": 8}, {}, 8),
        ("memory", {"request": 4, "limit": 8}, {"memory": 2}, 4),
        ("memory", {"request": 2, "limit": 8}, {"memory": 2}, 4),
        ("memory", {"limit": 8}, {"memory": 2}, 4),
        ("memory", {"limit": 7}, {"memory": 2}, 4),
        ("memory", {"request": 4, "limit": 8}, {"cpus": 2}, 8),
        ("cpus", {"limit": 2000}, {}, 2000),
        ("cpus", {"request": 500, "limit": 2000}, {}, 500),
        ("cpus", {"request": 500, "limit": 2000}, {"cpus": 2}, 1000),
        ("cpus", {"request": 500, "limit": 2000}, {"cpus": 8}, 500),
        ("cpus", {"limit": 2000}, {"cpus": 4}, 500),
        ("cpus", {"limit": 2000}, {"cpus": Fraction("1.5")}, 1334),
        ("memory", {"estimate": 3}, {}, 3),
        ("memory", {"estimate": 3}, {"memory": 3}, 3),
        ("memory", {"estimate": 3, "request": 1}, {}, 1),
        ("cpus", {"estimate": 3, "limit": 5}, {}, 5),
        ("memory", {}, {}, None),
        ("cpus", {}, {"cpus": 4}, None),
        ("pids", {}, {}, 0),
        ("agents", {"request": 2}, {}, 2),
        ("agents", {"limit": 2}, {}, 2),
    ],
)
def test_charges(resource: str, amounts: dict[str, int], overcommit: dict[str, Any], expected: int | None) -> None:
    factors = {key: Fraction(value) for key, value in overcommit.items()}
    assert charged(resource, factors, **amounts) == expected


def test_a_charge_keeps_what_kind_of_statement_it_is() -> None:
    service = Service(
        Name("p", "s"),
        limits={"memory": Quantity(8, Origin.INHERITED, source="defaults")},
        estimates={"cpus": Quantity(500, Origin.ESTIMATED)},
    )
    fleet = Fleet("f", "default", {}, {service.name: service})
    memory, cpus = charge(fleet, service, "memory"), charge(fleet, service, "cpus")
    assert memory is not None
    assert cpus is not None
    assert (memory.origin, memory.source, cpus.origin) == (Origin.INHERITED, "defaults", Origin.ESTIMATED)


def test_a_share_of_a_card_is_charged_and_a_card_alone_is_not() -> None:
    fleet = Fleet("f", "default", {}, {})
    for ask, expected in ((None, 0), (GpuAsk(memory=5), 5), (GpuAsk(access=1), 0)):
        found = charge(fleet, Service(Name("p", "s"), gpu=ask), "gpu_memory")
        assert found is not None
        assert found.amount == expected


@given(AMOUNTS, AMOUNTS, st.fractions(1, 16))
@often
def test_a_charge_is_never_below_the_request_nor_above_what_is_stated(
    request: int, limit: int, factor: Fraction
) -> None:
    for resource in ("memory", "cpus"):
        found = charged(resource, {resource: factor}, request=request, limit=limit)
        assert found is not None
        assert request <= found <= max(request, limit)


@given(AMOUNTS, st.fractions(1, 16), st.fractions(1, 16))
@often
def test_more_overcommit_never_charges_more(limit: int, one: Fraction, other: Fraction) -> None:
    low, high = (charged("memory", {"memory": factor}, limit=limit) for factor in sorted((one, other)))
    assert low is not None
    assert high is not None
    assert low >= high


@pytest.mark.parametrize(
    ("pool", "members", "expected"),
    [
        (Pool("p"), [3, 2, 5], 10),
        (Pool("p", concurrent=1), [3, 2, 5], 10),
        (Pool("p", "on-demand"), [3, 2, 5], 10),
        (Pool("p", "on-demand", concurrent=2), [3, 2, 5], 8),
        (Pool("p", "on-demand", concurrent=9), [3, 2, 5], 10),
        (Pool("p", "on-demand", {"requests": {"memory": Quantity(6)}}), [3, 2, 5], 6),
        (Pool("p", "on-demand", {"requests": {"memory": Quantity(60)}}), [3, 2, 5], 10),
        (Pool("p", "on-demand", {"requests": {"memory": Quantity(6)}}, concurrent=1), [3, 2, 5], 5),
        (Pool("p", "on-demand", {"requests": {"cpus": Quantity(6)}}), [3, 2, 5], 10),
        (Pool("p", "on-demand", {"limits": {"memory": Quantity(6)}}), [3, 2, 5], 10),
        (Pool("p", "burst", {"requests": {"memory": Quantity(6)}}), [3, 2, 5], 10),
        (Pool("p", "on-demand", concurrent=2), [], 0),
    ],
)
def test_what_the_members_of_a_pool_are_charged_together(pool: Pool, members: list[int], expected: int) -> None:
    assert pool_charge(pool, "memory", members) == expected
