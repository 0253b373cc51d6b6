"""Quantities remember what they replaced; sums keep their kinds apart."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from bayplan.finding import Place
from bayplan.model.quantity import Origin, Quantity, Sum, total

AMOUNTS = st.integers(0, 2**50)
SUMS = st.builds(Sum, AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS)
often = settings(derandomize=True, deadline=None, max_examples=60)


def test_layers_from_the_strongest_to_the_weakest() -> None:
    default, compose, policy = Quantity(1, source="defaults"), Quantity(2, source="compose"), Quantity(3, source="web")
    assert [one.source for one in policy.over(compose.over(default)).layers] == ["web", "compose", "defaults"]
    assert policy.over(None).layers == (policy,)


def test_a_sum_keeps_the_kinds_apart() -> None:
    asked = Sum().plus(5, Origin.DECLARED).plus(2, Origin.ESTIMATED).plus(3, Origin.DECLARED).plus(0, Origin.MEASURED)
    assert asked == Sum(declared=8, estimated=2)
    assert asked.total == 10
    assert asked.parts() == ((Origin.DECLARED, 8), (Origin.ESTIMATED, 2))


def test_every_kind_has_its_part() -> None:
    for origin in Origin:
        assert Sum().plus(7, origin).parts() == ((origin, 7),)
        assert Sum().plus(7, origin).total == 7


@given(st.lists(SUMS, max_size=5))
@often
def test_sums_of_sums_are_sums_of_their_kinds(sums: list[Sum]) -> None:
    whole = total(sums)
    assert whole.total == sum(one.total for one in sums)
    assert whole.estimated == sum(one.estimated for one in sums)
    assert whole == total(reversed(sums))


def test_equal_amounts_from_two_places_are_two_quantities() -> None:
    assert Quantity(1, place=Place("a", 1, 1)) != Quantity(1, place=Place("a", 2, 1))
