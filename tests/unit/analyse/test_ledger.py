"""The ledger: one bar per node and resource, its kinds apart, nothing lost and nothing twice."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from bayplan.analyse.consumers import consumers, family
from bayplan.analyse.ledger import Row, State, ledger
from bayplan.analyse.relief import Side, reliefs
from bayplan.model import units
from bayplan.model.names import Instance, Name
from bayplan.model.placement import Seat
from bayplan.pipeline import standing, wished

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayplan.policy.fleet import Policy

CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parents[2] / "cases" / "analyse" / "ledger.yml").read_text(encoding="utf-8")
)
TEXTS = {"policy": "policy.yml", "compose": "c/compose.yml"}


def shown(row: Row) -> str:
    """Return a row in words."""
    resource = row.resource.partition("/")[0]

    def amount(value: int) -> str:
        return units.show(resource, value)

    kinds = [f"{amount(part)} {origin}" for origin, part in row.charges.parts()]
    kinds += [f"{amount(row.pooled)} pooled"] if row.pooled else []
    unbounded = f"; unbounded: {', '.join(map(str, row.unbounded))}" if row.unbounded else ""
    bar = f"{amount(row.reserve)} + {amount(row.charged)} ({', '.join(kinds)})"
    return f"{bar} to {amount(row.line)} of {amount(row.capacity)}: {row.state}{unbounded}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_ledger(case: dict[str, Any], read: Callable[..., Policy]) -> None:
    policy = read({**{TEXTS[key]: case[key] for key in TEXTS}, **case.get("files", {})})
    assert policy.findings == ()
    now = case.get("at") != "to-be"
    found = ledger(policy.as_is, standing(policy.as_is)) if now else ledger(policy.to_be, wished(policy.to_be).seats)
    rows = {f"{row.node}/{row.resource}": shown(row) for row in found.rows}
    assert {key: rows.get(key) for key in case["rows"]} == case["rows"]
    assert {node: found.services[node] for node in case.get("services", {})} == case.get("services", {})
    assert {node: found.copies[node] for node in case.get("copies", {})} == case.get("copies", {})
    assert {node: str(found.state(node)) for node in case.get("states", {})} == case.get("states", {})


@pytest.mark.parametrize(
    ("bar", "state"),
    [(0, "idle"), (19, "idle"), (20, "ok"), (90, "ok"), (91, "near"), (100, "near"), (101, "over")],
)
def test_states_at_their_borders(bar: int, state: str) -> None:
    row = Row("n", "memory", capacity=100, reserve=bar, line=90)
    assert (row.state, row.over) == (State(state), max(0, bar - 90))


def test_a_pool_counts_once_on_each_node(read: Callable[..., Policy]) -> None:
    """Two members on one node never run together; two on two nodes may."""
    policy = read(
        {
            "policy.yml": """
nodes: {one: {cpus: 8, memory: 8GiB}, two: {cpus: 8, memory: 8GiB}}
sources: {p: {compose: c/compose.yml, node: one}}
pools: {desk: {services: ["*"], scaling: on-demand, concurrent: 1}}
""",
            "c/compose.yml": "services: {a: {image: a, mem_limit: 1g}, b: {image: a, mem_limit: 3g}}",
        }
    )
    a, b = Instance(Name("p", "a")), Instance(Name("p", "b"))
    for seats, charged in (
        ({a: Seat("one"), b: Seat("one")}, {"one": 3, "two": 0}),
        ({a: Seat("one"), b: Seat("two")}, {"one": 1, "two": 3}),
        ({a: Seat("one")}, {"one": 1, "two": 0}),
        ({a: Seat("nowhere")}, {"one": 0, "two": 0}),
    ):
        found = ledger(policy.to_be, seats)
        rows = {row.node: row.charged for row in found.rows if row.resource == "memory"}
        assert rows == {node: amount * 2**30 for node, amount in charged.items()}


def test_a_seat_of_a_service_that_does_not_run_or_is_unknown_is_charged_nowhere(read: Callable[..., Policy]) -> None:
    """A recorded decision may still name what a profile has switched off since."""
    policy = read(
        {
            "policy.yml": "nodes: {one: {cpus: 8, memory: 8GiB}}\nsources: {p: {compose: c/compose.yml, node: one}}",
            "c/compose.yml": "services: {a: {image: a}, off: {image: a, mem_limit: 1g, profiles: [x]}}",
        }
    )
    seats = {Instance(Name("p", name)): Seat("one") for name in ("off", "gone")}
    found = ledger(policy.to_be, seats)
    assert (found.copies, [row.charged for row in found.rows]) == ({"one": 0}, [0, 0])


def test_published_ports_are_counted_and_those_taken_twice_named(read: Callable[..., Policy]) -> None:
    policy = read(
        {
            "policy.yml": """
nodes: {one: {cpus: 8, memory: 8GiB}, two: {cpus: 8, memory: 8GiB}}
sources: {p: {compose: c/compose.yml, node: one}}
services: {d: {placement: two}, e: {remap_ports: {81: 82}}}
""",
            "c/compose.yml": """
services:
  a: {image: a, ports: ["80:1", "81:1", "9:9/udp", "7"]}
  b: {image: a, ports: ["127.0.0.1:80:1", "9:9"]}
  d: {image: a, ports: ["80:1"]}
  e: {image: a, ports: ["81:1"]}
  off: {image: a, ports: ["9:9"], profiles: [x]}
""",
        }
    )
    today = ledger(policy.as_is, standing(policy.as_is)).ports["one"]
    then = ledger(policy.to_be, wished(policy.to_be).seats).ports
    assert (today.published, {one.port: [name.name for name in one.services] for one in today.clashes}) == (
        7,
        {"80/tcp": ["a", "b", "d"], "81/tcp": ["a", "e"]},
    )
    assert {node: (one.published, [taken.port for taken in one.clashes]) for node, one in then.items()} == {
        "one": (6, ["80/tcp"]),
        "two": (1, []),
    }


def test_a_service_on_two_cards_is_charged_on_both(read: Callable[..., Policy]) -> None:
    policy = read(
        {
            "policy.yml": """
nodes: {one: {cpus: 8, memory: 8GiB, gpus: {count: 3, model: A, memory: 10GiB}, reserve: {gpu_memory: 1GiB}}}
sources: {p: {compose: c/compose.yml, node: one}}
services: {s: {gpu: 2}}
""",
            "c/compose.yml": "services: {s: {image: a}}",
        }
    )
    found = ledger(policy.to_be, {Instance(Name("p", "s")): Seat("one", (0, 2))})
    rows = {row.resource: (row.reserve / 2**30, row.charged / 2**30) for row in found.rows if row.resource[0] == "g"}
    assert rows == {"gpu_memory/0": (1, 8), "gpu_memory/1": (0, 0), "gpu_memory/2": (0, 9)}


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("doc-analyzer-1", "p/doc-analyzer"),
        ("doc-analyzer-12", "p/doc-analyzer"),
        ("worker_2", "p/worker"),
        ("worker2", "p/worker"),
        ("kafka", "p/kafka"),
        ("3", "p/3"),
        ("live2d-avatar", "p/live2d-avatar"),
    ],
)
def test_families(name: str, title: str) -> None:
    assert family(Name("p", name)) == title


class TestConsumers:
    """Who takes the most."""

    POLICY = """
nodes: {one: {cpus: 64, memory: 64GiB}, two: {cpus: 64, memory: 64GiB}}
sources: {p: {compose: c/compose.yml, node: one}}
estimates: [{match: "doc-*", cpus: 1}]
services: {doc-1: {limits: {memory: 1GiB}}, web: {placement: two}, db: {limits: {memory: 7GiB}}}
"""
    COMPOSE = """
services:
  doc-1: {image: a, mem_limit: 2g}
  doc-2: {image: a, mem_limit: 3g}
  web: {image: a, mem_limit: 1g, cpus: 2, scale: 3}
  db: {image: a, mem_limit: 5g}
  mute: {image: a}
"""

    @pytest.fixture
    def policy(self, read: Callable[..., Policy]) -> Policy:
        return read({"policy.yml": self.POLICY, "c/compose.yml": self.COMPOSE})

    def test_ranked_by_memory_equals_by_name(self, policy: Policy) -> None:
        found = consumers(policy.as_is, standing(policy.as_is))
        assert [(one.name, one.copies, one.memory // 2**30, one.cpus, one.kinds) for one in found] == [
            ("p/db", 1, 5, 0, ("declared",)),
            ("p/doc x2", 2, 5, 2000, ("declared",)),
            ("p/web x3", 3, 3, 6000, ("declared",)),
            ("p/mute", 1, 0, 0, ()),
        ]

    def test_ranked_by_cpus(self, policy: Policy) -> None:
        found = consumers(policy.as_is, standing(policy.as_is), by="cpus")
        assert [one.name for one in found] == ["p/web x3", "p/doc x2", "p/db", "p/mute"]

    def test_what_the_policy_takes_off_a_node(self, policy: Policy) -> None:
        """web moves away, doc-1 is cut; db grows, and so frees nothing."""
        before = Side(policy.as_is, standing(policy.as_is))
        after = Side(policy.to_be, wished(policy.to_be).seats)
        found = reliefs(before, after, "one")
        assert [(one.name, one.before // 2**30, one.after // 2**30, one.amount // 2**30) for one in found] == [
            ("p/web", 3, 0, 3),
            ("p/doc", 5, 4, 1),
        ]
        assert reliefs(before, after, "two") == []
