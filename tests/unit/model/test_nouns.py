"""What names, ports, nodes and fleets answer when asked."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayplan.finding import Place, Severity, error, in_order, note, warning
from bayplan.model.fleet import Fleet, Node, Share
from bayplan.model.names import Instance, Name
from bayplan.model.placement import Placement, Seat
from bayplan.model.quantity import Quantity
from bayplan.model.service import Mount, Port, Replicas, Service

PORTS = st.builds(
    Port,
    st.integers(1, 3),
    st.none() | st.integers(1, 3),
    st.sampled_from(["tcp", "udp"]),
    st.sampled_from(["", "0.0.0.0", "127.0.0.1", "192.168.0.1", "::", "::1"]),  # noqa: S104 - compared, never bound
)


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        (Port(80, 8080), Port(90, 8080), True),
        (Port(80, 8080), Port(80, 8081), False),
        (Port(80, 8080), Port(80, 8080, "udp"), False),
        (Port(80), Port(80), False),
        (Port(80, None), Port(80, 80), False),
        (Port(80, 80, host_ip="127.0.0.1"), Port(80, 80), True),
        (Port(80, 80, host_ip="127.0.0.1"), Port(80, 80, host_ip="0.0.0.0"), True),  # noqa: S104 - never bound
        (Port(80, 80, host_ip="127.0.0.1"), Port(80, 80, host_ip="127.0.0.1"), True),
        (Port(80, 80, host_ip="127.0.0.1"), Port(80, 80, host_ip="192.168.0.1"), False),
    ],
    ids=str,
)
def test_ports_that_cannot_be_published_on_one_host(one: Port, other: Port, *, clash: bool) -> None:
    assert one.clashes_with(other) is clash


@given(PORTS, PORTS)
@settings(derandomize=True, deadline=None, max_examples=100)
def test_a_clash_is_mutual(one: Port, other: Port) -> None:
    assert one.clashes_with(other) == other.clashes_with(one)


@given(PORTS)
@settings(derandomize=True, deadline=None, max_examples=40)
def test_a_published_port_clashes_with_itself(port: Port) -> None:
    assert port.clashes_with(port) is (port.published is not None)


def test_names_are_written_and_read_back() -> None:
    assert str(Name("bev", "web")) == "bev/web"
    assert Name.parse("bev/web") == Name("bev", "web")
    with pytest.raises(ValueError, match="'web' is not project/name"):
        Name.parse("web")


def test_the_first_copy_has_the_name_of_the_service() -> None:
    web = Name("bev", "web")
    assert [str(Instance(web, number)) for number in (1, 2, 10)] == ["bev/web", "bev/web#2", "bev/web#10"]
    assert sorted([Instance(web, 10), Instance(web, 2)]) == [Instance(web, 2), Instance(web, 10)]


def test_a_share_is_cut_to_whole_units() -> None:
    assert Share(Fraction(9, 10)).of(25_769_803_776) == 23_192_823_398
    assert Share(Fraction(1, 3)).of(10) == 3
    assert Share(Fraction(17, 20)).of(100) == 85


def test_what_a_node_has_keeps_and_may_give() -> None:
    node = Node(
        "tower",
        capacity={"memory": Quantity(100), "agents": Quantity(9)},
        reserve={"memory": Quantity(20)},
        ceilings={"memory": Share(Fraction(85, 100))},
    )
    assert (node.has("memory"), node.reserved("memory"), node.line("memory"), node.room("memory")) == (100, 20, 85, 65)
    assert (node.has("agents"), node.reserved("agents"), node.line("agents"), node.room("agents")) == (9, 0, 9, 9)
    assert (node.has("cpus"), node.line("cpus"), node.room("cpus")) == (0, 0, 0)


def test_there_is_no_negative_room() -> None:
    full = Node("n", capacity={"cpus": Quantity(4)}, reserve={"cpus": Quantity(6)})
    assert full.room("cpus") == 0


def test_a_fleet_lists_what_runs() -> None:
    web = Service(Name("p", "web"), replicas=Replicas(2), pool="x")
    api = Service(Name("p", "api"), tier="data")
    off = Service(Name("p", "off"), pool="x", active=False)
    fleet = Fleet("f", "default", {}, {one.name: one for one in (web, off, api)})
    assert fleet.active() == (api, web)
    assert [str(copy) for copy in fleet.instances()] == ["p/api", "p/web", "p/web#2"]
    assert fleet.members("x") == (web,)
    assert (fleet.tier_of(web).priority, fleet.tier_of(api).name) == (500, "data")


def test_a_service_lists_its_volumes_and_its_paths_once() -> None:
    service = Service(
        Name("p", "db"),
        mounts=(
            Mount("volume", "data", "/b"),
            Mount("bind", "./conf", "/c"),
            Mount("volume", "cache", "/a"),
            Mount("volume", "data", "/d"),
            Mount("volume", "", "/anonymous"),
            Mount("tmpfs", "", "/tmp"),  # noqa: S108 - a path in a container
        ),
    )
    assert service.volume_keys == ("cache", "data")
    assert service.bind_paths == ("./conf",)


def test_a_placement_lists_what_is_on_a_node() -> None:
    a, b, c = (Instance(Name("p", name)) for name in "abc")
    placement = Placement({c: Seat("n"), a: Seat("n"), b: Seat("m")})
    assert placement.on("n") == (a, c)
    assert placement.on("x") == ()


def test_findings_stand_by_place_errors_first_each_once() -> None:
    here, there = Place("a.yml", 2, 1), Place("a.yml", 10, 1)
    first = error("b/b", here, "s", "m")
    found = [note("z/z", there, "s", "m"), warning("a/a", here, "s", "m"), first, error("b/b", here, "s", "m")]
    assert [(one.severity, one.rule) for one in in_order(found)] == [
        (Severity.ERROR, "b/b"),
        (Severity.WARNING, "a/a"),
        (Severity.NOTE, "z/z"),
    ]
    assert [str(place) for place in (here, Place("a.yml"))] == ["a.yml:2:1", "a.yml"]


@pytest.mark.parametrize(
    ("port", "text"),
    [
        (Port(80), "80/tcp"),
        (Port(80, 8080), "8080:80/tcp"),
        (Port(53, 53, "udp", "10.0.0.1"), "10.0.0.1:53:53/udp"),
        (Port(80, None, host_ip="127.0.0.1"), "127.0.0.1::80/tcp"),
        (Port(80, 81, host_ip="::1"), "[::1]:81:80/tcp"),
    ],
)
def test_a_port_in_the_short_form_of_compose(port: Port, text: str) -> None:
    assert str(port) == text
