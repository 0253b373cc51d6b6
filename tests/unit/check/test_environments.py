"""Environments: what factors make of numbers, both ends of ranges, and the table that shows it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bayplan import pipeline
from bayplan.render.environments import Ends, rows, table
from bayplan.workspace import workspace

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayplan.finding import Finding
    from bayplan.model.fleet import Fleet
    from bayplan.policy.fleet import Policy

ROOT = Path(__file__).parents[3]
ENVIRONMENTS = ("development", "production", "staging")
RANGED = """
nodes: {n1: {cpus: 16, memory: 64GiB, gpus: [{model: A100, memory: 40GiB}]}}
services:
  web: {compose: {image: "web:1"}, requests: {cpus: 4m}, limits: {cpus: 100m, memory: 1GiB}}
environments:
  test: {multiply: {cpus: [0.1, 1]}}
"""


def test_the_sums_of_a_document_with_factors_are_those_that_it_states() -> None:
    """One copy of each: 450m and 1.5 GiB, 900m and 3 GiB, 1350m and 4.5 GiB, as its document has them."""
    space = workspace(ROOT / "policies" / "acgs-as-written")
    fleets = {env: pipeline.read(space, env).to_be for env in ENVIRONMENTS}
    one_each = [row for row in rows(fleets) if row.subject == "one copy of each"]
    found = {line[1]: line[2:] for line in table(one_each, fleets)[1:]}
    assert found == {
        "requests.cpus": ["450m  (4 services)", "1350m  (4 services)", "900m  (4 services)"],
        "requests.memory": ["1.5 GiB  (4 services)", "4.5 GiB  (4 services)", "3 GiB  (4 services)"],
        "limits.cpus": ["1450m  (4 services)", "4350m  (4 services)", "2900m  (4 services)"],
        "limits.memory": ["5 GiB  (4 services)", "15 GiB  (4 services)", "10 GiB  (4 services)"],
    }


def test_each_number_says_what_made_it() -> None:
    space = workspace(ROOT / "policies" / "acgs-as-written")
    fleets = {env: pipeline.read(space, env).to_be for env in ENVIRONMENTS}
    name = next(name for name in fleets["staging"].services if name.name == "redis")
    assert [line[1:] for line in table(rows(fleets, [name]), fleets)] == [
        ["", *ENVIRONMENTS],
        ["replicas", "1  (1 to 3)", "1  (1 to 3)", "1  (1 to 3)"],
        ["requests.cpus", "50m  (100m x 0.5)", "150m  (100m x 1.5)", "100m  (services.redis)"],
        ["requests.memory", "128 MiB  (256 MiB x 0.5)", "384 MiB  (256 MiB x 1.5)", "256 MiB  (services.redis)"],
        ["limits.cpus", "100m  (200m x 0.5)", "300m  (200m x 1.5)", "200m  (services.redis)"],
        ["limits.memory", "256 MiB  (512 MiB x 0.5)", "768 MiB  (512 MiB x 1.5)", "512 MiB  (services.redis)"],
    ]


def test_nodes_pools_copies_and_both_ends_of_ranges_are_shown(read: Callable[..., Policy]) -> None:
    policy = """
nodes: {"n[1:2]": {cpus: 16, memory: 64GiB}}
services:
  db: {compose: {image: "db:1"}, pool: data, qos: guaranteed, limits: {cpus: 1, memory: 3GiB}, replicas: 3}
pools: {data: {quota: {requests: {memory: 12GiB}}}}
environments:
  large: {multiply: {memory: 2, replicas: 1.5}}
  range: {nodes: [n1], multiply: {cpus: [0.25, 1], memory: [0.5, 1.5]}}
"""
    found = {env: read(policy, env) for env in ("large", "range")}
    fleets = {env: one.to_be for env, one in found.items()}
    with_ends = Ends({"range": read_lower(policy, read)}, {"large": found["large"].factors["replicas"]})
    lines = {(one.subject, one.key): one for one in rows(fleets, ends=with_ends)}
    shown = {key: [f"{cell.shown} ({cell.why})" for cell in row.cells.values()] for key, row in lines.items()}
    assert shown["nodes", ""] == ["2 (n1, n2)", "1 (n1)"]
    assert shown["shop/db", "replicas"] == ["5 (x 1.5)", "3 ()"]
    assert shown["shop/db", "limits.cpus"] == ["1000m (services.db)", "250m to 1000m (1000m x 0.25; services.db)"]
    assert shown["shop/db", "requests.memory"] == [
        "6 GiB (limits.memory, qos guaranteed)",
        "1.5 GiB to 4.5 GiB (limits.memory, qos guaranteed)",
    ]
    assert shown["pool data", "quota.requests.memory"] == [
        "24 GiB (12 GiB x 2)",
        "6 GiB to 18 GiB (12 GiB x 0.5; 12 GiB x 1.5)",
    ]
    assert lines["shop/db", "limits.memory"].cells["range"].lower == 1536 * 2**20


def read_lower(policy: str, read: Callable[..., Policy]) -> Fleet:
    """Return the fleet of the environment `range` at its lower end."""
    low = policy.replace("[0.25, 1]", "0.25").replace("[0.5, 1.5]", "0.5")
    return read(low, "range").to_be


def test_a_range_is_checked_at_both_ends(checked: Callable[..., tuple[Finding, ...]]) -> None:
    found = [one for one in checked(RANGED, "test") if one.rule == "environments/rounded"]
    assert [(one.subject, one.message.partition(" (")[2], one.arithmetic) for one in found] == [
        (
            "shop/web",
            "at the lower end of what the environment multiplies by)",
            "0.1 x 4m = 0.4m, rounded up to 1m",
        )
    ]


def test_what_holds_at_one_end_only_is_said(checked: Callable[..., tuple[Finding, ...]]) -> None:
    quota = "pools: {front: {services: [web], quota: {requests: {cpus: 50m}}}}\n"
    policy = RANGED.replace("requests: {cpus: 4m}", "requests: {cpus: 60m}").replace("[0.1, 1]", "[0.5, 1]")
    rules = {one.rule for one in checked(policy + quota, "test")}
    assert "pool/quota" in rules
    upper = RANGED.replace("limits: {cpus: 100m, memory: 1GiB}", "limits: {cpus: 100m, memory: 40GiB}")
    big = upper.replace("{cpus: [0.1, 1]}", "{memory: [1, 2]}")
    assert {one.rule for one in checked(big, "test") if one.is_error} == {"capacity/larger-than-any-node"}
    small = upper.replace("{cpus: [0.1, 1]}", "{memory: [0.5, 1]}")
    assert not [one for one in checked(small, "test") if one.is_error]


def test_numbers_are_claimed_of_what_is_planned_and_bounds_of_all_of_a_range(
    checked: Callable[..., tuple[Finding, ...]],
) -> None:
    claims = """
expect:
  - {env: test, of: services, limits.cpus: 0.1}
  - {env: test, of: services, limits.cpus: "10m..100m"}
  - {env: test, of: services, limits.cpus: ">= 50m"}
  - {env: test, of: services, limits.cpus: 0.05}
"""
    found = checked(RANGED + claims, "test")
    assert [(one.place.line, one.write) for one in found if one.rule == "claims/wrong"] == [
        (11, '">= 10m"'),
        (12, "0.1"),
    ]
