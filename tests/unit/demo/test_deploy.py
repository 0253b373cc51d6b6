"""What can run at once of what Compose files ask for, and in which order it starts."""

from __future__ import annotations

from typing import Any

from demo.deploy import batches, today
from demo.derive import Project


def project(name: str, node: str, **services: dict[str, Any]) -> Project:
    return Project(name, node, f"/opt/{name}", {"services": services}, "")


def port(published: int, **more: str) -> dict[str, Any]:
    return {"target": 80, "published": str(published), "protocol": "tcp", **more}


def test_of_two_with_one_port_the_first_runs() -> None:
    one = project("a", "n1", web={"ports": [port(80)]}, more={"ports": [port(81)]})
    other = project("b", "n1", web={"ports": [port(80)]})
    far = project("c", "n2", web={"ports": [port(80)]})
    found = today([other, one, far])
    assert found.copies == {("a", "more"): 1, ("a", "web"): 1, ("c", "web"): 1}
    assert found.left_out == {("b", "web"): "port 80/tcp is a/web's on n1"}


def test_who_gets_another_port_yields() -> None:
    one = project("a", "n1", alpha={"ports": [port(80)]}, beta={"ports": [port(80)]})
    assert today([one], frozenset({("a", "alpha")})).copies == {("a", "beta"): 1}


def test_different_addresses_of_a_node_do_not_clash() -> None:
    one = project(
        "a", "n1", alpha={"ports": [port(80, host_ip="10.0.0.1")]}, beta={"ports": [port(80, host_ip="10.0.0.2")]}
    )
    assert len(today([one]).copies) == 2


def test_copies_with_one_address_are_one() -> None:
    one = project("a", "n1", web={"deploy": {"replicas": 4}, "networks": {"net": {"ipv4_address": "172.21.0.20"}}})
    found = today([one])
    assert found.copies == {("a", "web"): 1}
    assert found.left_out == {("a", "web"): "1 of 4 copies: all want address 172.21.0.20 of a/net"}


def test_profiles_that_are_off_start_nothing() -> None:
    one = project("a", "n1", web={"profiles": ["debug"]}, db={"deploy": {"replicas": 3}})
    assert today([one]).copies == {("a", "db"): 3}


def test_who_is_depended_on_comes_first() -> None:
    services: dict[str, dict[str, Any]] = {
        "web": {"depends_on": {"app": {}}},
        "app": {"depends_on": {"db": {}, "left-out": {}}},
        "db": {},
        "other": {},
    }
    assert batches(services, ["web", "app", "db", "other"]) == [["db", "other"], ["app"], ["web"]]
    assert [len(batch) for batch in batches({str(n): {} for n in range(30)}, map(str, range(30)))] == [12, 12, 6]
