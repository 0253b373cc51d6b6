"""AS-IS and TO-BE in one shape: what a live change sets stands apart from what replaces a container."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bayplan.model.names import Name
from bayplan.model.placement import Seat
from bayplan.plan.change import Kind
from bayplan.plan.diff import apply, diff
from bayplan.plan.state import Deployed, settings

if TYPE_CHECKING:
    from .conftest import Planned

WEB = Name("shop", "web")


@pytest.mark.parametrize(
    ("body", "flat"),
    [
        ({"image": "x:1", "command": ["a", "b"]}, {"command": ["a", "b"], "image": "x:1"}),
        ({"environment": {"A": "1", "B": None}}, {"environment.A": "1", "environment.B": "~"}),
        ({"networks": {"a": None, "b": {}}}, {"networks.a": "~", "networks.b": "~"}),
        ({"mem_limit": "1g", "cpu_shares": 5, "memswap_limit": "1g", "scale": 2, "pids_limit": 5, "cpus": 1}, {}),
        ({"profiles": ["jobs"]}, {}),
        ({"deploy": {"replicas": 2, "resources": {"limits": {"memory": "1g", "cpus": "1", "pids": 4}}}}, {}),
        ({"deploy": {"resources": {"reservations": {"memory": "1g", "devices": [{"count": 1}]}}}},
         {"deploy.resources.reservations.devices": [{"count": 1}]}),
        ({"deploy": {"mode": "global", "resources": {}}}, {"deploy.mode": "global"}),
        ({}, {}),
    ],
)  # fmt: skip
def test_settings(body: dict[str, Any], flat: dict[str, Any]) -> None:
    assert settings(body) == flat


def test_a_body_is_not_changed_by_reading_it() -> None:
    body = {"deploy": {"replicas": 2, "resources": {"limits": {"memory": "1g"}}}}
    settings(body)
    assert body == {"deploy": {"replicas": 2, "resources": {"limits": {"memory": "1g"}}}}


A, B, CARD = Seat("a"), Seat("b"), Seat("a", (1,))


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (None, Deployed({1: A}), [("start", 0, "a", "a")]),
        (Deployed({1: A}), None, [("stop", 0, "a", "a")]),
        (Deployed({1: A}, {"limits.memory": 2}), Deployed({1: A}, {"limits.memory": 1}), [("resize", 0, "a", "a")]),
        (Deployed({1: A}, {"limits.memory": 2}), Deployed({1: A}), [("resize", 0, "a", "a")]),
        (Deployed({1: A}, {}, {"image": "x"}), Deployed({1: A}, {}, {"image": "y"}), [("recreate", 1, "a", "a")]),
        (Deployed({1: A}), Deployed({1: CARD}), [("recreate", 1, "a", "a")]),
        (Deployed({1: A}), Deployed({1: B}), [("move", 1, "a", "b")]),
        (Deployed({1: A}, {}, {"image": "x"}), Deployed({1: B}, {}, {"image": "y"}), [("move", 1, "a", "b")]),
        (Deployed({1: A}), Deployed({1: A, 2: B}), [("scale", 0, "a", "a, b")]),
        (Deployed({1: A, 2: B}), Deployed({1: A}), [("scale", 0, "a, b", "a")]),
        (Deployed({1: A}), Deployed({1: A}, mode="on-demand"), [("schedule", 0, "a", "a")]),
        (Deployed({1: A}, {"limits.memory": 2}), Deployed({1: B, 2: B}, {"limits.memory": 1}, {"image": "y"}, "on-demand"),
         [("resize", 0, "a", "a"), ("schedule", 0, "a", "a"), ("move", 2, "a", "b")]),
    ],
)  # fmt: skip
def test_a_difference_is_told_by_kind(
    before: Deployed | None, after: Deployed | None, told: list[tuple[str, int, str, str]]
) -> None:
    now, then = ({WEB: one} if one else {} for one in (before, after))
    changes = diff(now, then)
    assert [(one.kind.value, one.restarts, one.node, one.target) for one in changes] == told
    assert apply(now, changes) == then


def test_joining_a_network_recreates(planned: Planned) -> None:
    texts = {
        "policy.yml": (
            "nodes: {a: {cpus: 4, memory: 8GiB}}\nsources: {shop: {compose: c/shop.yml, node: a}}\n"
            "services: {web: {compose: {networks: [more]}}}\n"
        ),
        "c/shop.yml": "services: {web: {image: 'x:1', networks: [net]}}\nnetworks: {net: , more: }\n",
    }
    plan = planned(texts, {"shop/web": "a"})
    assert [(one.kind, [(d.key, d.before, d.after) for d in one.details]) for one in plan.changes] == [
        (Kind.RECREATE, [("networks.more", None, "~")])
    ]
