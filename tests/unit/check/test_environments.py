"""Environments: what factors make of numbers, both ends of ranges, and the table that shows it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bayplan import pipeline
from bayplan.render.environments import rows, table
from bayplan.workspace import workspace

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayplan.finding import Finding

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
