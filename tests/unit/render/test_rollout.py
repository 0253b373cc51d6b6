"""rollout.json: what the hands are told, literally."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bayplan import pipeline, place
from bayplan.model.fleet import Node
from bayplan.model.names import Instance, Name
from bayplan.model.placement import Placement, Seat
from bayplan.model.quantity import Quantity
from bayplan.render.folder import folder
from bayplan.render.limits import limits_of
from bayplan.render.rollout import rollout_data

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.plan.plan import Plan

GIB = 2**30
NONE = {
    "memory": None, "swap": None, "cpus": None, "pids": None,
    "cpuset": "", "shares": None, "reservation": None, "cgroup_parent": "",
}  # fmt: skip


@pytest.fixture(scope="module")
def planned(read: Any) -> Any:
    """Return what plans a policy of texts towards seats: `shop/web#2` → node, or node and card."""

    def make(texts: Mapping[str, str], seats: Mapping[str, str | tuple[str, int]]) -> Plan:
        policy = read(texts)
        assert [finding for finding in policy.findings if finding.is_error] == []
        placed = {}
        for text, where in seats.items():
            name, _, number = text.partition("#")
            seat = Seat(where) if isinstance(where, str) else Seat(where[0], (where[1],))
            placed[Instance(Name.parse(name), int(number or "1"))] = seat
        return pipeline.make_plan(policy, place.Decision(Placement(placed)), None)

    return make


POLICY = """
nodes:
  a: {address: 10.0.0.1, cpus: 4, memory: 10GiB, reserve: {cpus: 1, memory: 1GiB}, ceilings: {memory: 90%, cpus: 100%}}
  b: {address: b.lan, connection: local, cpus: 8, memory: 20GiB, ceilings: {memory: 100%, cpus: 100%}}
sources: {shop: {compose: c/shop.yml, node: a, root: /opt/shop}}
services:
  web: {limits: {memory: 1GiB, swap: 0GiB, cpus: 2, pids: 100}, requests: {cpus: 0.5, memory: 512MiB}}
  db: {placement: b, limits: {memory: 2GiB}, why: more room there}
volumes: {shop/data: {size: 3GiB}}
rollout: {confirm_within: 90s, keep_source: 1h}
"""
COMPOSE = """
services:
  web: {image: "x:1", mem_limit: 2g}
  db: {image: "x:1", mem_limit: 2g, volumes: ["data:/d"]}
volumes: {data: }
"""
FILES = {"policy.yml": POLICY, "c/shop.yml": COMPOSE}
SEATS = {"shop/web": "a", "shop/db": "b"}
WEB = {
    "memory": GIB, "swap": 0, "cpus": 2000, "pids": 100,
    "cpuset": "", "shares": 512, "reservation": GIB // 2, "cgroup_parent": "",
}  # fmt: skip


@pytest.fixture(scope="module")
def told(planned: Any) -> dict[str, Any]:
    plan = planned(FILES, SEATS)
    files = {"a/shop/compose.yaml": "one", "b/shop/compose.yaml": "two", "b/units/x.slice": "three"}
    data = rollout_data(plan, "0123456789ab", files)
    assert json.loads(json.dumps(data)) == data
    return data


def test_the_head(told: dict[str, Any]) -> None:
    assert {key: value for key, value in told.items() if key not in ("nodes", "waves")} == {
        "schema_version": 1, "fleet": "shop", "environment": "default", "plan": "0123456789ab",
        "policy": "policies/shop", "confirm_within": 90, "keep_source": 3600,
    }  # fmt: skip


def test_a_node(told: dict[str, Any]) -> None:
    assert told["nodes"]["a"] == {
        "address": "10.0.0.1",
        "connection": "ssh",
        "lines": {"memory": 9 * GIB, "cpus": 4000},
        "reserve": {"memory": GIB, "cpus": 1000},
        "facts": {},
        "cgroup_driver": "",
        "projects": {"shop": {"root": "/opt/shop"}},
        "files": {"shop/compose.yaml": hashlib.sha256(b"one").hexdigest()},
        "folders": [],
        "networks": [],
        "expected": {
            "shop/web": {"copies": 1, "run": "always", "limits": WEB, "charge": {"memory": GIB, "cpus": 500}},
        },
    }
    other = told["nodes"]["b"]
    assert (other["connection"], sorted(other["files"]), sorted(other["expected"])) == (
        "local", ["shop/compose.yaml", "units/x.slice"], ["shop/db"],
    )  # fmt: skip


def test_a_wave_on_a_node(told: dict[str, Any]) -> None:
    first = told["waves"][0]
    assert {key: value for key, value in first.items() if key != "nodes"} == {
        "number": 1, "stage": "all", "kind": "resize", "why": "limits of shop/web on a, live",
    }  # fmt: skip
    assert first["nodes"] == {
        "a": [
            {
                "id": "1.a.1", "project": "shop", "service": "web", "copies": 1, "why": "",
                "before": {**NONE, "memory": 2 * GIB}, "after": WEB, "charge": {"memory": GIB, "cpus": 500},
                "restarts": 0, "undo": "the old limits, live",
            },
        ]
    }  # fmt: skip


def test_a_move(told: dict[str, Any]) -> None:
    size = {**NONE, "memory": 2 * GIB}
    assert told["waves"][1] == {
        "number": 2, "stage": "all", "kind": "move", "why": "shop/db from a to b with 3 GiB: more room there",
        "source": "a", "target": "b",
        "services": [
            {
                "id": "2.a.1", "project": "shop", "service": "db", "copies": 1, "why": "more room there",
                "before": size, "after": size, "charge": {"memory": 2 * GIB, "cpus": None},
                "restarts": 1, "undo": "move back to a with the current data",
            },
        ],
        "volumes": [{"project": "shop", "key": "data", "name": "shop_data", "size": 3 * GIB}],
        "paths": ["/opt/shop/.env"], "stateful": True, "stop_first": False, "edges": [],
    }  # fmt: skip


def test_copies_with_cards_of_their_own_are_services_of_their_own(planned: Any) -> None:
    policy = (
        "nodes: {a: {cpus: 8, memory: 8GiB, gpus: [{model: X, memory: 8GiB}, {model: X, memory: 8GiB}]}}\n"
        "sources: {shop: {compose: c/shop.yml, node: a, root: /opt/shop}}\n"
        "services: {llm: {gpu: 6GiB, replicas: 2, compose: {image: 'x:2'}, placement: a}}\n"
    )
    texts = {"policy.yml": policy, "c/shop.yml": "services: {web: {image: 'x:1'}}\n"}
    plan = planned(texts, {"shop/web": "a", "shop/llm": ("a", 0), "shop/llm#2": ("a", 1)})
    data = rollout_data(plan, "d", {})
    assert sorted(data["nodes"]["a"]["expected"]) == ["shop/llm-1", "shop/llm-2", "shop/web"]
    (wave,) = data["waves"]
    assert [(one["id"], one["service"], one["copies"]) for one in wave["nodes"]["a"]] == [
        ("1.a.1.1", "llm-1", 1), ("1.a.1.2", "llm-2", 1),
    ]  # fmt: skip


def test_what_rests_is_expected_to(planned: Any) -> None:
    policy = POLICY.replace("rollout:", "pools: {desk: {scaling: on-demand, services: [web]}}\nrollout:")
    data = rollout_data(planned({**FILES, "policy.yml": policy}, SEATS), "d", {})
    assert data["nodes"]["a"]["expected"]["shop/web"]["run"] == "on-demand"
    assert [wave["kind"] for wave in data["waves"]] == ["resize", "rest", "move"]


def test_a_plan_without_a_placement_is_not_rolled_out(planned: Any, read: Any) -> None:
    impossible = pipeline.make_plan(read(FILES), place.Decision(None), None)
    with pytest.raises(ValueError, match="without a placement"):
        rollout_data(impossible, "d", {})
    assert sorted(folder(impossible, "d", {})) == ["PLAN.md", "plan.json"]
    whole = folder(planned(FILES, SEATS), "d", {"placement.yml": "p", "a/shop/compose.yaml": "one"})
    assert whole["files/a/shop/compose.yaml"] == "one"
    assert "files/placement.yml" not in whole
    assert (
        "| 2 | all | move | shop/db from a to b with 3 GiB: more room there | a → b | 1 | stop, last copy of the data, start | 3 GiB |"
        in whole["PLAN.md"]
    )
    waves = json.loads(whole["plan.json"])["waves"]
    assert waves[1] == {
        "number": 2, "stage": "all", "kind": "move", "why": "shop/db from a to b with 3 GiB: more room there",
        "steps": [{"id": "2.a.1", "service": "shop/db", "node": "a", "why": "more room there"}],
        "restarts": 1, "downtime": "stop, last copy of the data, start",
        "from": "a", "to": "b", "bytes": 3 * GIB, "stop_first": False,
    }  # fmt: skip


BOX = Node("a", capacity={"cpus": Quantity(4000)})


@pytest.mark.parametrize(
    ("sizes", "body", "expected"),
    [
        ({}, {}, {}),
        ({"limits.memory": 5, "limits.swap": 5}, {}, {"memory": 5}),  # as much again is what Docker gives anyway
        ({"limits.memory": 5, "limits.swap": 0}, {}, {"memory": 5, "swap": 0}),
        ({"limits.swap": 3}, {}, {}),
        ({"requests.memory": 7, "requests.cpus": 100}, {}, {"reservation": 7}),
        ({"cpu_shares": 102}, {}, {"shares": 102}),
        ({}, {"cpuset": "0-1"}, {"cpuset": "0-1"}),
        ({}, {"cpuset": "0-3"}, {}),  # all there are
        ({}, {"cgroup_parent": "x.slice"}, {"cgroup_parent": "x.slice"}),
        ({"limits.cpus": 1500, "limits.pids": 9}, {}, {"cpus": 1500, "pids": 9}),
    ],
)
def test_limits(sizes: dict[str, int], body: dict[str, Any], expected: dict[str, Any]) -> None:
    assert limits_of(sizes, body, BOX) == {**NONE, **expected}


def test_a_proxy_learns_of_a_move(planned: Any) -> None:
    policy = (
        "nodes: {a: {address: 10.0.0.1, cpus: 8, memory: 8GiB}, b: {address: 10.0.0.2, cpus: 8, memory: 8GiB}}\n"
        "sources: {shop: {compose: c/shop.yml, node: a, root: /opt/shop}, front: {compose: c/front.yml, node: a, root: /opt/front}}\n"
        "services: {shop/web: {placement: b}, front/other: {placement: a}}\n"
        "edges: {main: {listen: 80, to: shop/web, placement: a}}\n"
    )
    web = "services: {web: {image: 'x:1', ports: ['8080:80']}}\n"
    texts = {"policy.yml": policy, "c/shop.yml": web, "c/front.yml": "services: {other: {image: 'x:1'}}\n"}
    plan = planned(texts, {"shop/web": "b", "front/other": "a", "shop/edge-main": "a"})
    new, known = plan, replace(plan, as_is=replace(plan.as_is, standing={**plan.as_is.standing, EDGE: "a"}))
    assert [moves(rollout_data(one, "d", {}))["edges"] for one in (new, known)] == [
        [],  # a proxy that is new starts with what is true then
        [{"edge": "main", "upstream": "web", "node": "a", "from": ["10.0.0.1:8080"], "to": ["10.0.0.2:8080"]}],
    ]


EDGE = Instance(Name("shop", "edge-main"))


def moves(data: dict[str, Any]) -> dict[str, Any]:
    """Return the one move of a plan."""
    (move,) = [wave for wave in data["waves"] if wave["kind"] == "move"]
    return dict(move)
