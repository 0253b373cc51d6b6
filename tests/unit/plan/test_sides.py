"""AS-IS against a decision: copies are counted as the decision counts them, and what does not run is started."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bayplan.model.fleet import Fleet
from bayplan.model.names import Instance, Name
from bayplan.model.placement import Seat
from bayplan.plan.sides import renumbered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.plan.plan import Plan

    from .conftest import Planned

WEB = Name("shop", "web")
POLICY = """
nodes: {a: {cpus: 8, memory: 16GiB}, b: {cpus: 8, memory: 16GiB}}
sources: {shop: {compose: c/shop.yml, node: a}}
"""
SHOP = "services: {web: {image: web:1, volumes: ['data:/data']}, api: {image: api:1}}\nvolumes: {data: {}}\n"


def facts(node: str, *services: str, volumes: str = "{}") -> str:
    listed = ", ".join(f"{{project: shop, number: 1, {one}}}" for one in services)
    hardware = "cpus: 8, memory: 17179869184"
    return f"{{schema_version: 1, node: {node}, {hardware}, volumes: {volumes}, services: [{listed}]}}"


def plan(planned: Planned, observed: Mapping[str, str], **seats: str) -> Plan:
    files = {f"observed/{node}.yml": text for node, text in observed.items()}
    where = {"shop/api": "a", **{f"shop/{name}": node for name, node in seats.items()}}
    return planned({"policy.yml": POLICY, "c/shop.yml": SHOP, **files}, where)


def told(made: Plan) -> list[str]:
    return [f"{one.kind} {one.service.name} {one.node} {one.target}: {one.why}" for one in made.changes]


def test_what_does_not_run_is_started_and_the_reason_said(planned: Planned) -> None:
    stopped = {"a": facts("a", "service: web, running: false", "service: api")}
    assert told(plan(planned, stopped, web="a")) == ["start web a a: it is not running"]


def test_what_is_not_there_at_all_likewise(planned: Planned) -> None:
    assert told(plan(planned, {"a": facts("a", "service: api")}, web="a")) == [
        "start web a a: no container of it was found"
    ]


@pytest.mark.parametrize(
    "observed",
    [
        {"a": facts("a", "service: web, running: false", "service: api"), "b": facts("b")},
        {"a": facts("a", "service: api", volumes="{shop_data: 5}"), "b": facts("b")},
    ],
    ids=["stopped", "gone"],
)
def test_what_does_not_run_and_shall_stand_elsewhere_is_moved_for_its_data(
    planned: Planned, observed: dict[str, str]
) -> None:
    assert told(plan(planned, observed, web="b"))[0].startswith("move web a b")


def test_what_has_no_data_anywhere_is_started_where_it_shall_stand(planned: Planned) -> None:
    observed = {"a": facts("a", "service: api"), "b": facts("b")}
    assert told(plan(planned, observed, web="b")) == ["start web b b: no container of it was found"]


def test_what_runs_as_it_should_is_left_alone(planned: Planned) -> None:
    assert told(plan(planned, {"a": facts("a", "service: web", "service: api")}, web="a")) == []


def test_what_was_stopped_is_not_charged_before_it_is_started(planned: Planned) -> None:
    made = plan(planned, {"a": facts("a", "service: web, running: false", "service: api")}, web="a")
    assert (made.before.services["a"], made.after.services["a"]) == (1, 2)


def copies(*nodes: str) -> dict[Instance, str]:
    return {Instance(WEB, number): node for number, node in enumerate(nodes, 1)}


def seats(*places: str) -> dict[Instance, Seat]:
    return {copy: Seat(text[0], tuple(map(int, text[1:]))) for copy, text in copies(*places).items()}


@pytest.mark.parametrize(
    ("today", "decided", "found"),
    [
        ("aab", "aab", "aab"),
        ("aab", "aba", "aba"),
        ("aab", "baa", "baa"),
        ("aab", "ab", "aba"),  # one too many on a
        ("ab", "bba", " ba"),  # one more comes to b
        ("aaa", "baa", "aaa"),  # one leaves a, whichever it is called
        ("ab", "cc", "ab"),
        ("a", "b", "a"),
    ],
)
def test_copies_have_the_numbers_of_their_nodes(today: str, decided: str, found: str) -> None:
    fleet = renumbered(Fleet("f", "default", {}, {}, standing=copies(*today)), seats(*decided))
    numbers = {one.number: node for one, node in fleet.standing.items()}
    assert numbers == {number: node for number, node in enumerate(found, 1) if node != " "}


def test_copies_have_the_numbers_of_their_cards_and_what_does_not_run_the_last() -> None:
    standing, cards = copies("a", "a", "a"), {Instance(WEB, 1): (0,), Instance(WEB, 2): (1,), Instance(WEB, 3): (2,)}
    idle = {Instance(WEB, 2): "it is not running"}
    fleet = renumbered(
        Fleet("f", "default", {}, {}, standing=standing, cards=cards, idle=idle), seats("a2", "a0", "a5")
    )
    assert {one.number: given for one, given in fleet.cards.items()} == {1: (2,), 2: (0,), 3: (1,)}
    assert {one.number for one in fleet.idle} == {3}


@pytest.mark.parametrize("decided", ["aab", "bbb", "abcabc", ""])
def test_nobody_is_lost_and_doing_it_twice_changes_nothing(decided: str) -> None:
    fleet = Fleet("f", "default", {}, {}, standing=copies(*"abab"), idle={Instance(WEB, 9): "no container"})
    once = renumbered(fleet, seats(*decided))
    assert sorted(once.standing.values()) == sorted(fleet.standing.values())
    assert len({*once.standing, *once.idle}) == 5
    assert renumbered(once, seats(*decided)) == once
