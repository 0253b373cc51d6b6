"""Stages: each leaves a ledger behind, and an order that crosses a line is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bayplan.analyse.ledger import Ledger, Row
from bayplan.model.fleet import Fleet
from bayplan.model.names import Name
from bayplan.model.quantity import MEMORY, Sum
from bayplan.model.units import GIB
from bayplan.plan.stages import WHOLE, Cut, Stage, assign, crossed

if TYPE_CHECKING:
    from bayplan.plan.plan import Plan

    from .conftest import Planned

FLEET = Fleet("shop", "default", {}, {})


def row(gib: int, *, line: int = 10, unbounded: tuple[str, ...] = (), reserve: int = 0) -> Row:
    return Row("a", MEMORY, 2 * line * GIB, reserve * GIB, line * GIB, Sum(declared=gib * GIB),
               unbounded=tuple(Name("shop", name) for name in unbounded))  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (row(4), row(9), False),
        (row(4), row(10), False),  # the line itself is still allowed
        (row(4), row(11), True),
        (row(20), row(15), False),  # over its line, and less so than before
        (row(20), row(20), False),
        (row(20), row(21), True),
        (row(9), row(9, reserve=2), True),
        (None, row(11), True),
        (None, row(9), False),
    ],
)
def test_a_line_is_crossed_where_a_bar_grows_over_it(before: Row | None, after: Row, *, found: bool) -> None:
    stage = Stage(WHOLE, (), FLEET, Ledger((after,)), {})
    assert bool(crossed(Ledger((before,) if before else ()), stage)) is found


def policy(
    stages: str, services: str, *, nodes: str = "{cpus: 64, memory: 10GiB, ceilings: {memory: 100%}}"
) -> dict[str, str]:
    return {
        "policy.yml": (
            f"nodes: {{a: {nodes}, b: {{cpus: 64, memory: 64GiB}}}}\n"
            "sources: {shop: {compose: c/shop.yml, node: a}}\n"
            f"services: {services}\nrollout: {{stages: {stages}}}\n"
        ),
        "c/shop.yml": (
            "services:\n"
            "  big: {image: 'x:1', deploy: {resources: {limits: {memory: 8g}}}}\n"
            "  small: {image: 'x:1', deploy: {resources: {limits: {memory: 1g}}}}\n"
            "  free: {image: 'x:1'}\n"
        ),
    }


HERE = {"shop/big": "a", "shop/small": "a", "shop/free": "a"}


def memory(plan: Plan) -> list[float]:
    """Return how full node a is before, and after each stage, in GiB."""
    rows = [ledger.row("a", MEMORY) for ledger in (plan.before, *(stage.ledger for stage in plan.stages))]
    return [found.bar / GIB for found in rows if found]


def orders(plan: Plan) -> list[str]:
    return [f"{one.subject}: {one.message}; {one.remedy}" for one in plan.findings if one.rule == "rollout/stage-order"]


def test_a_stage_that_fills_before_another_frees_is_found(planned: Planned) -> None:
    texts = policy(
        "[{name: grow, changes: [resize], services: [small]}, {name: leave, changes: [move]}]",
        "{shop/small: {limits: {memory: 4GiB}}, shop/big: {placement: b}}",
    )
    plan = planned(texts, HERE | {"shop/big": "b"})
    assert memory(plan) == [9, 12, 4]
    assert orders(plan) == [
        "stage grow: fills memory of a from 9 GiB to 12 GiB, over its line of 10 GiB; this order works: leave, grow"
    ]


def test_the_other_order_is_fine(planned: Planned) -> None:
    texts = policy(
        "[{name: leave, changes: [move]}, {name: grow, changes: [resize], services: [small]}]",
        "{shop/small: {limits: {memory: 4GiB}}, shop/big: {placement: b}}",
    )
    plan = planned(texts, HERE | {"shop/big": "b"})
    assert (memory(plan), orders(plan)) == ([9, 1, 4], [])


def test_a_first_limit_fills_nothing(planned: Planned) -> None:
    """Who was unbounded used what it used; a limit on it makes nothing fuller."""
    texts = policy("[{name: all, changes: [resize]}]", "{shop/free: {limits: {memory: 4GiB}}}")
    plan = planned(texts, HERE)
    assert (memory(plan), orders(plan)) == ([9, 13], [])


def test_a_first_limit_hides_nobody_elses_growth(planned: Planned) -> None:
    texts = policy(
        "[{name: all, changes: [resize]}]",
        "{shop/free: {limits: {memory: 4GiB}}, shop/small: {limits: {memory: 3GiB}}}",
    )
    plan = planned(texts, HERE)
    assert memory(plan) == [9, 15]
    assert [line.partition(";")[0] for line in orders(plan)] == [
        "stage all: fills memory of a from 9 GiB to 15 GiB, over its line of 10 GiB"
    ]


def test_stages_of_one_name_are_stages_of_their_own(planned: Planned) -> None:
    texts = policy(
        "[{name: x, changes: [resize], services: [small]}, {name: x, changes: [resize]}]",
        "{shop/small: {limits: {memory: 512MiB}}, shop/big: {limits: {memory: 4GiB}}}",
    )
    plan = planned(texts, HERE)
    assert [[str(change.service) for change in stage.changes] for stage in plan.stages] == [
        ["shop/small"],
        ["shop/big"],
    ]
    assert memory(plan) == [9, 8.5, 4.5]


def test_what_no_stage_takes_is_an_error(planned: Planned) -> None:
    plan = planned(policy("[{name: x, changes: [move]}]", "{shop/small: {limits: {memory: 512MiB}}}"), HERE)
    assert [(one.rule, one.subject, one.message) for one in plan.findings if one.rule.startswith("rollout")] == [
        ("rollout/no-stage", "shop/small", "no stage takes its resize")
    ]


def test_the_last_stage_is_the_end(planned: Planned) -> None:
    """Also for what no change tells of: a pool that does not rest, VRAM that is only said, a service that comes."""
    texts = policy(
        "[{name: none, changes: []}, {name: rest, changes: [resize, recreate, scale, schedule, move, start, stop]}]",
        "{shop/small: {limits: {memory: 512MiB}, replicas: 2}, shop/big: {pool: p, placement: b}, new: {compose: {image: 'n:1'},"
        " limits: {memory: 1GiB}}}\npools: {p: {scaling: on-demand, quota: {requests: {memory: 2GiB}}}}",
    )
    plan = planned(texts, HERE | {"shop/big": "b", "shop/small#2": "a", "shop/new": "a"})
    assert plan.stages[-1].ledger == plan.after
    assert plan.stages[0].ledger.row("a", MEMORY) == plan.before.row("a", MEMORY)


def test_a_change_goes_to_the_first_stage_that_takes_it() -> None:
    one, two = Cut("one", frozenset(["move"])), Cut("two")
    assert assign((one, two), ()) == ({one: (), two: ()}, [])
    assert assign((WHOLE,), ()) == ({WHOLE: ()}, [])


def test_a_copy_more_waits_for_the_stage_that_makes_room(planned: Planned) -> None:
    """A node over its line gets no fuller: not even by one copy that the policy puts into an early stage."""
    texts = policy(
        "[{name: shrink, changes: [resize, scale]}, {name: leave, changes: [move]}]",
        "{shop/small: {replicas: 2}, shop/big: {placement: b}}",
        nodes="{cpus: 64, memory: 8GiB, ceilings: {memory: 100%}}",
    )
    plan = planned(texts, HERE | {"shop/small#2": "a", "shop/big": "b"})
    assert memory(plan) == [9, 9, 2]
    assert [(one.subject, one.message, one.arithmetic) for one in plan.findings if one.rule == "rollout/waits"] == [
        ("shop/small", "waits for stage leave: before it, memory of a has no room for it", "10 GiB > 8 GiB")
    ]
    assert [(wave.stage, wave.kind.value) for wave in plan.waves] == [("leave", "move"), ("leave", "scale")]


def test_who_begins_to_rest_is_scheduled_even_if_it_does_not_run(planned: Planned) -> None:
    texts = policy(
        "[{name: rest, changes: [schedule]}]",
        "{new: {compose: {image: 'n:1'}, limits: {memory: 1GiB}, pool: p}}",
        nodes="{cpus: 64, memory: 16GiB, ceilings: {memory: 100%}}",
    )
    texts["policy.yml"] += "pools: {p: {scaling: on-demand}}\n"
    plan = planned(texts, HERE | {"shop/new": "a"})
    assert [(change.kind.value, str(change.service)) for stage in plan.stages for change in stage.changes] == [
        ("start", "shop/new")
    ]
