"""The small parts: paths, cards, policy changes on the model."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from bayplan.analyse.cards import missing
from bayplan.model.fleet import Gpu, Node
from bayplan.model.names import Name
from bayplan.model.service import GpuAsk
from bayplan.model.units import GIB
from bayplan.place.conflict.amend import amend, show
from bayplan.place.constraints.paths import covers, everywhere

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayplan.model.fleet import Fleet

    FleetOf = Callable[[dict[str, Any]], Fleet]


@pytest.mark.parametrize(
    ("pattern", "path", "covered"),
    [
        ("./**", "./conf/x", True),
        ("./**", "conf", True),
        ("./**", ".", True),
        ("./**", "../conf", False),
        ("./**", "/srv", False),
        ("./conf/**", "./conf", True),
        ("./conf/**", "./config/x", False),
        ("./conf", "./conf/a/b", True),
        ("./{a,b}/*.yml", "./b/x.yml", True),
        ("./{a,b}/*.yml", "./c/x.yml", False),
        ("./data-[12]", "./data-2/x", True),
        ("./data-[!12]", "./data-2", False),
        ("./?", "./ab", False),
        ("/srv/media", "/srv/media/films", True),
        ("/srv/media", "/srv/mediathek", False),
        ("/srv/**/x", "/srv/a/b/x", True),
        ("./a.b", "./axb", False),
    ],
)
def test_patterns_cover_paths_and_what_is_below(pattern: str, path: str, covered: bool) -> None:  # noqa: FBT001
    assert covers(pattern, path) == covered


@pytest.mark.parametrize(
    "path", ["/", "/proc/sys", "/var/run/docker.sock", "/run/user/1000/docker.sock", "/run/x", "/dev"]
)
def test_some_paths_are_everywhere(path: str) -> None:
    assert everywhere(path)


@pytest.mark.parametrize("path", ["/dev/ttyUSB0", "/etc/passwd", "./tmp", "/srv", "/processes"])
def test_others_are_not(path: str) -> None:
    assert not everywhere(path)


@pytest.mark.parametrize(
    ("require", "suits"),
    [
        ({"compute_capability": ">=8.6"}, True),
        ({"compute_capability": ">8.6"}, False),
        ({"compute_capability": "< 8.10"}, True),
        ({"memory": ">=24GiB", "model": "rtx 4090"}, True),
        ({"memory": ">24GiB"}, False),
        ({"memory": "lots"}, False),
        ({"model": "H100"}, False),
        ({"model": "!=H100"}, True),
        ({"bus": "pcie"}, False),
    ],
)
def test_conditions_on_a_card(require: dict[str, str], suits: bool) -> None:  # noqa: FBT001
    node = Node("a", gpus=(Gpu(0, "RTX 4090", 24 * GIB, labels={"compute_capability": "8.6"}),))
    assert (missing(GpuAsk(memory=GIB, require=require), node) == "") == suits


def test_too_few_cards_are_counted() -> None:
    node = Node("a", gpus=(Gpu(0, "x", GIB), Gpu(1, "x", GIB), Gpu(2, "x", GIB, ("1g",))))
    assert missing(GpuAsk(count=3), node) == "has 2 of 3 cards that suit"


@pytest.fixture(scope="module")
def small(fleet_of: FleetOf) -> Fleet:
    nodes = {"a": {"ceilings": {"memory": 85}}}
    return fleet_of({"nodes": nodes, "services": {"web": {"gpu": 2, "memory": 4, "at": "a", "copies": 2}}})


def service(fleet: Fleet) -> Any:
    return fleet.services[Name("p", "web")]


@pytest.mark.parametrize(
    ("path", "value", "look", "expected"),
    [
        (("nodes", "a", "memory"), "72GiB", lambda fleet: fleet.nodes["a"].has("memory"), 72 * GIB),
        (("nodes", "a", "cpus"), 12, lambda fleet: fleet.nodes["a"].has("cpus"), 12000),
        (("nodes", "a", "resources", "agents"), 3, lambda fleet: fleet.nodes["a"].has("agents"), 3),
        (
            ("nodes", "a", "ceilings", "memory"),
            "90%",
            lambda fleet: fleet.nodes["a"].ceilings["memory"].value,
            Fraction(9, 10),
        ),
        (
            ("services", "p/web", "limits", "memory"),
            "1.5GiB",
            lambda fleet: service(fleet).limits["memory"].amount,
            1536 * 2**20,
        ),
        (("services", "p/web", "requests", "cpus"), "250m", lambda fleet: service(fleet).requests["cpus"].amount, 250),
        (("services", "p/web", "placement"), None, lambda fleet: service(fleet).placement.node, ""),
        (
            ("services", "p/web", "placement", "tolerations"),
            ["gpu"],
            lambda fleet: service(fleet).placement.tolerations,
            ("gpu",),
        ),
        (("services", "p/web", "replicas"), 1, lambda fleet: service(fleet).replicas.count, 1),
        (("services", "p/web", "gpu"), "1GiB", lambda fleet: service(fleet).gpu.memory, GIB),
        (("services", "p/web", "remap_ports"), {80: 81}, lambda fleet: service(fleet).remap_ports, {80: 81}),
        (("volumes", "p/./conf"), {"on_move": "carry"}, lambda fleet: fleet.volumes[Name("p", "./conf")].is_path, True),
        (("volumes", "/srv/x", "access"), "network", lambda fleet: fleet.volumes[Name("", "/srv/x")].access, "network"),
        (("volumes", "p/data", "on_move"), "own", lambda fleet: fleet.volumes[Name("p", "data")].said, {"on_move"}),
        (
            ("networks", "p/net", "between_nodes"),
            "proxy",
            lambda fleet: fleet.networks[Name("p", "net")].between_nodes,
            "proxy",
        ),
        (("pools", "x"), {"scaling": "on-demand", "services": ["p/web"]}, lambda fleet: service(fleet).pool, "x"),
    ],
)
def test_a_policy_line_does_on_the_model_what_it_says(
    small: Fleet, path: tuple[str, ...], value: object, look: Callable[[Fleet], object], expected: object
) -> None:
    assert look(amend(small, path, value)) == expected


def test_a_remedy_is_shown_as_it_would_be_pasted() -> None:
    assert show(("services", "p/web", "placement"), None) == "services: {p/web: {placement: null}}"
    assert (
        show(("pools", "x"), {"concurrent": 1, "services": ["a", "b"]})
        == "pools: {x: {concurrent: 1, services: [a, b]}}"
    )
    assert show(("volumes", "*_data", "on_move"), "own") == 'volumes: {"*_data": {on_move: own}}'
