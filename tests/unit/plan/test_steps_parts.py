"""Parts of the order that single plans show best: what travels, copies that spread, and what is said beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bayplan.model.fleet import Fleet, Node, Project, Volume
from bayplan.model.names import Instance, Name
from bayplan.model.placement import Seat
from bayplan.model.quantity import Quantity
from bayplan.model.service import Mount, Replicas, Service
from bayplan.plan.diff import diff
from bayplan.plan.order import Scene, order, proof
from bayplan.plan.order.baggage import carried_paths, root_of, volumes, writes
from bayplan.plan.order.needs import in_order
from bayplan.plan.stages import WHOLE, Cut, assign, staged
from bayplan.plan.state import state

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.plan.steps import Wave

    from .conftest import Planned

GIB = 2**30
WEB = Name("shop", "web")


def service(name: Name = WEB, memory: float = 1, **more: Any) -> Service:
    return Service(name, limits={"memory": Quantity(int(memory * GIB))}, requests={"cpus": Quantity(1)}, **more)


def fleet(*services: Service, room: float = 10, **more: Any) -> Fleet:
    capacity = {"memory": Quantity(int(room * GIB)), "cpus": Quantity(10**6)}
    nodes = {name: Node(name, capacity=capacity) for name in "abc"}
    return Fleet("shop", "default", nodes, {one.name: one for one in services}, **more)


def seats(places: str, name: Name = WEB) -> dict[Instance, Seat]:
    """Return where the first, the second, … copy stands: `aab`."""
    return {Instance(name, number): Seat(node) for number, node in enumerate(places, 1)}


def scene(old: Fleet, new: Fleet, now: Mapping[Instance, Seat], then: Mapping[Instance, Seat]) -> Scene:
    before, after = (
        state(one, there, {name: service.body for name, service in one.services.items()})
        for one, there in ((old, now), (new, then))
    )
    return Scene(old, new, before, after, diff(before, after))


def ordered(one: Scene, *cuts: Cut) -> tuple[tuple[Wave, ...], list[str]]:
    taken, findings = assign(cuts or (WHOLE,), one.changes)
    assert findings == []
    stages = staged(one.as_is, one.to_be, one.now, cuts or (WHOLE,), taken)
    waves, found = order(one, stages)
    return waves, [f"{finding.rule} {finding.subject} {finding.message} → {finding.remedy}" for finding in found]


def copies(waves: tuple[Wave, ...]) -> list[str]:
    return [f"{wave.kind} {wave.where} {[step.copies for step in wave.steps]} {wave.restarts}" for wave in waves]


@pytest.mark.parametrize(
    ("before", "after", "image", "expected"),
    [
        ("a", "b", "1", ["move a → b [1] 1"]),
        ("aa", "bb", "1", ["move a → b [2] 2"]),
        ("aa", "ab", "1", ["move a → b [1] 1"]),
        ("aa", "ab", "2", ["move a → b [1] 1", "recreate a [1] 1"]),  # who stays gets the new settings too
        ("aa", "bc", "1", ["move a → b [1] 1", "move a → c [1] 1"]),
        ("ab", "cc", "1", ["move a → c [1] 1", "move b → c [2] 1"]),
        ("ab", "ba", "1", ["recreate a [1] 1", "recreate b [1] 1"]),  # they are alike: nobody moves, numbers are new
        ("ab", "bca", "1", ["start c [1] 0"]),
        ("abc", "ca", "2", ["stop b [1] 0", "recreate a [1] 1", "recreate c [1] 1"]),
        ("aab", "a", "1", ["stop b [1] 0", "scale a [1] 0"]),
        ("a", "aaab", "1", ["scale a [3] 0", "start b [1] 0"]),
        ("aab", "acc", "1", ["move a → c [1] 1", "move b → c [2] 1"]),
    ],
)
def test_copies_are_alike_and_only_their_number_counts(
    before: str, after: str, image: str, expected: list[str]
) -> None:
    old = fleet(service(replicas=Replicas(len(before)), body={"image": "1"}))
    new = fleet(service(replicas=Replicas(len(after)), body={"image": image}))
    one = scene(old, new, seats(before), seats(after))
    waves, said = ordered(one)
    assert sorted(copies(waves)) == sorted(expected)
    assert said == []
    assert proof(one, waves) == []


PATHS = (
    Mount("bind", "./conf/a", "/a", read_only=True), Mount("bind", "./conf", "/b", read_only=True),
    Mount("bind", "/srv/media", "/m"), Mount("bind", "/etc/localtime", "/t"), Mount("bind", "~/keys", "/k"),
    Mount("volume", "data", "/d"), Mount("volume", "net", "/n"), Mount("volume", "own", "/o"), Mount("volume", "new", "/w"),
)  # fmt: skip
VOLUMES = {
    Name("shop", "./**"): Volume(Name("shop", "./**"), access="shared", is_path=True),
    Name("", "~/**"): Volume(Name("", "~/**"), access="shared", is_path=True),
    Name("shop", "data"): Volume(Name("shop", "data"), "shop_data", size=Quantity(GIB)),
    Name("shop", "net"): Volume(Name("shop", "net"), "nfs", access="network"),
    Name("shop", "own"): Volume(Name("shop", "own"), "shop_own", on_move="own"),
    Name("shop", "new"): Volume(Name("shop", "new"), "shop_new"),
}


def test_what_travels_with_a_service() -> None:
    body = {
        "env_file": [{"path": "./web.env"}, "/etc/shop.env"],
        "secrets": [{"source": "key"}],
        "configs": ["site", "other"],
    }
    projects = {
        "shop": Project(
            "shop",
            "a",
            "/opt/shop/",
            secrets={"key": {"file": "./key.pem"}},
            configs={"site": {"file": "/etc/site"}, "other": {"external": True}},
        )
    }
    new = fleet(service(mounts=PATHS, body=body, build="./src"), volumes=VOLUMES, projects=projects)
    old = fleet(service(mounts=PATHS[:-1], body=body))
    one = scene(old, new, seats("a"), seats("b"))
    assert [volume.real_name for volume in volumes(one, [WEB])] == ["shop_data"]
    assert carried_paths(one, [WEB], "b") == (
        "/etc/shop.env", "/etc/site", "/opt/shop/.env", "/opt/shop/conf", "/opt/shop/key.pem", "/opt/shop/src", "/opt/shop/web.env",
    )  # fmt: skip
    assert "/opt/shop/.env" not in carried_paths(one, [WEB], "a"), "the project is there already"
    assert writes(one, [WEB])


@pytest.mark.parametrize(
    ("mount", "expected"),
    [
        (Mount("volume", "data", "/d"), True),
        (Mount("volume", "data", "/d", read_only=True), False),
        (Mount("volume", "own", "/d"), False),
        (Mount("bind", "./x", "/x"), True),
        (Mount("bind", "./x", "/x", read_only=True), False),
        (Mount("bind", "/srv/x", "/x"), False),
    ],
)
def test_who_writes_to_what_travels_may_not_run_twice(mount: Mount, *, expected: bool) -> None:
    both = fleet(service(mounts=(mount,)), volumes=VOLUMES)
    assert writes(scene(both, both, seats("a"), seats("b")), [WEB]) is expected


@pytest.mark.parametrize(
    ("root", "expected"),
    [("/opt/x", "/opt/x"), ("/opt/x/../y/", "/opt/y"), ("compose", "/opt/shop"), ("", "/opt/shop")],
)
def test_where_a_project_stands(root: str, expected: str) -> None:
    assert root_of(fleet(projects={"shop": Project("shop", root=root)}), "shop") == expected
    assert root_of(fleet(), "shop") == "/opt/shop"


def test_a_node_over_its_line_is_not_filled_again_if_there_is_another_way() -> None:
    """It may grow by less than it has freed only where its stage leaves no other way."""
    grows, leaves, shrinks = Name("shop", "grows"), Name("shop", "leaves"), Name("shop", "shrinks")
    old = fleet(service(grows, 1), service(leaves, 6), service(shrinks, 6))
    new = fleet(service(grows, 2), service(leaves, 6), service(shrinks, 4))
    now = {Instance(name): Seat("a") for name in (grows, leaves, shrinks)}
    one = scene(old, new, now, {**now, Instance(leaves): Seat("b")})
    waves, said = ordered(one)
    assert [(wave.kind.value, [step.service.name for step in wave.steps]) for wave in waves] == [
        ("resize", ["shrinks"]), ("move", ["leaves"]), ("resize", ["grows"]),
    ]  # fmt: skip
    assert said == []
    assert proof(one, waves) == []
    first = Cut("first", frozenset({"resize"}))
    waves, said = ordered(one, first, Cut("then"))
    assert [(wave.stage, [step.service.name for step in wave.steps]) for wave in waves] == [
        ("first", ["shrinks", "grows"]), ("then", ["leaves"]),
    ]  # fmt: skip
    assert said == []
    assert proof(one, waves) == []


def test_a_third_node_with_room_is_named() -> None:
    left, right = Name("shop", "left"), Name("shop", "right")
    both = fleet(service(left, 8), service(right, 7))
    now = {Instance(left): Seat("a"), Instance(right): Seat("b")}
    waves, said = ordered(scene(both, both, now, {Instance(left): Seat("b"), Instance(right): Seat("a")}))
    assert len(waves) == 3
    assert said[0].endswith(
        "→ make room on b or a for the time of the move; c has room for it: a plan that moves it there first needs no stop"
    )


def test_who_is_told_of_a_move_in_another_stage_is_named(planned: Planned) -> None:
    texts = {
        "policy.yml": (
            "nodes: {a: {cpus: 8, memory: 8GiB, address: 10.0.0.1}, b: {cpus: 8, memory: 8GiB, address: 10.0.0.2}}\n"
            "sources: {shop: {compose: c/shop.yml, node: a, root: /opt/shop}}\nservices: {db: {placement: b}}\n"
            "rollout: {stages: [{name: one, changes: [recreate]}, {name: two, changes: [move]}]}\n"
        ),
        "c/shop.yml": "services: {web: {image: 'x:1', depends_on: [db]}, db: {image: 'x:1', ports: ['5432:5432']}}\n",
    }
    plan = planned(texts, {"shop/web": "a", "shop/db": "b"})
    (found,) = [one for one in plan.findings if one.rule == "rollout/told-apart"]
    assert (found.subject, found.message, found.remedy) == (
        "shop/web",
        "is told in stage one where shop/db is, which moves to b in stage two: in between they do not reach each other",
        "let stage two take the recreate of shop/web too",
    )
    texts["policy.yml"] = texts["policy.yml"].replace(
        "{name: one, changes: [recreate]}, {name: two, changes: [move]}", "{name: one, changes: [recreate, move]}"
    )
    plan = planned(texts, {"shop/web": "a", "shop/db": "b"})
    assert [one for one in plan.findings if one.rule == "rollout/told-apart"] == []
    assert [(wave.kind.value, wave.where) for wave in plan.waves] == [("move", "a → b"), ("recreate", "a")]


def test_a_folder_that_nobody_said_is_named(planned: Planned) -> None:
    texts = {
        "policy.yml": (
            "nodes: {a: {cpus: 8, memory: 8GiB}}\nsources: {shop: {compose: c/shop.yml, node: a}}\n"
            "services: {web: {compose: {image: 'x:2'}}}\n"
        ),
        "c/shop.yml": "services: {web: {image: 'x:1', volumes: ['./conf:/c']}}\n",
    }
    plan = planned(texts, {"shop/web": "a"})
    assert [
        f"{one.severity} {one.message}; {one.remedy}" for one in plan.findings if one.rule == "rollout/root-assumed"
    ] == [
        "note is taken to stand in /opt/shop on its nodes; ./conf is relative to that; sources: {shop: {root: /where/it/stands}}"
    ]


@pytest.mark.parametrize(
    ("waits", "expected"),
    [
        ({}, "abcd"),
        ({"a": "b"}, "bacd"),
        ({"a": "d", "b": "d"}, "cdab"),
        ({"a": "b", "b": "a"}, "cdab"),  # a circle is cut where the rank is lowest
        ({"a": "a"}, "abcd"),
        ({"a": "x"}, "abcd"),
        ({"d": "c", "c": "b", "b": "a"}, "abcd"),
        ({"a": "b", "b": "c", "c": "d"}, "dcba"),
    ],
)
def test_who_waits_comes_later(waits: dict[str, str], expected: str) -> None:
    assert "".join(in_order("dbca", lambda one: waits.get(one, ""), lambda one: one)) == expected
