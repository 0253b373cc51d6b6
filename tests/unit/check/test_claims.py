"""Claims: what does not hold is named with its sum, what holds raises nothing."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bayplan.check.claims import judged, read_claims
from bayplan.check.measure import COUNT, RATIO, Claimed, Truth, claimed
from bayplan.check.moment import AS_IS, TO_BE, Moment
from bayplan.finding import Place
from bayplan.model.units import GIB
from bayplan.pipeline import standing, wished
from bayplan.place import decide
from bayplan.source import Node

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayplan.finding import Finding
    from bayplan.policy.fleet import Policy

CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parents[2] / "cases" / "check" / "claims.yml").read_text(encoding="utf-8")
)
POLICY = """
nodes:
  tower: {cpus: 8, memory: 16GiB, reserve: {memory: 2GiB}}
  nas: {cpus: 4, memory: 8GiB}
sources:
  shop: {compose: c/tower.yml, node: tower}
  aux: {compose: c/nas.yml, node: nas}
estimates: [{match: job, memory: 2GiB}]
tiers: {data: {services: [db]}}
pools: {batch: {services: [worker]}}
services:
  web: {limits: {memory: 2.5GiB}, why: measured}
  db: {qos: guaranteed}
  worker: {replicas: 2}
  tools: {placement: tower}
"""
TOWER = """
services:
  web: {image: a, mem_limit: 4g, cpus: 1.25}
  db: {image: a, mem_limit: 3840m}
  worker: {image: a, mem_limit: 1g, scale: 3}
  job: {image: a}
"""
SCALED = """
nodes: {n1: {cpus: 8, memory: 16GiB, gpus: [{model: T4, memory: 16GiB}]}}
services:
  train:
    compose: {image: a}
    requests: {cpus: 500m, memory: 2GiB}
    limits: {cpus: 2, memory: 8GiB}
    gpu: 1
    scale: {min: 2, max: 8}
  cache:
    compose: {image: a}
    requests: {cpus: 100m, memory: 256MiB}
    limits: {cpus: 200m, memory: 512MiB}
    qos: burstable
    scale: {max: 3}
  watch: {compose: {image: a}, limits: {memory: 1GiB}}
"""
SPREAD = """
nodes:
  g1: {cpus: 32, memory: 128GiB, reserve: {memory: 4GiB}, gpus: {count: 2, model: A30, memory: 24GiB}}
  g2: {cpus: 32, memory: 128GiB, gpus: {count: 1, model: A30, memory: 24GiB}}
sources: {ml: {compose: c/ml.yml, node: g1}}
environments: {default: {}, production: {}}
services:
  ml/api: {replicas: 3, placement: g1}
  ml/old: {replicas: 0}
  llm: {compose: {image: a}, limits: {memory: 16GiB}, placement: g1}
  emb: {compose: {image: a}, limits: {memory: 8GiB}, gpu: 4GiB, replicas: 2, placement: {spread: node}}
  train: {compose: {image: a}, limits: {memory: 32GiB}, placement: g1}
"""
ML = """
services:
  api: {image: a, cpus: 1, mem_limit: 2g, scale: 2}
  old: {image: a, cpus: 0.504, mem_limit: 1g}
"""
POLICIES = {"": POLICY, "scaled": SCALED, "spread": SPREAD}
NAS = "services: {tools: {image: a, mem_limit: 512m}}"


def check(policy: Policy, *, decided: bool = False) -> list[Finding]:
    """Return what is said about the claims of a policy, all placed as the policy wishes, or as is decided."""
    placement = (decide(policy.to_be).placement if decided else None) or wished(policy.to_be)
    moments = {
        AS_IS: Moment.of(AS_IS, policy.as_is, standing(policy.as_is)),
        TO_BE: Moment.of(TO_BE, policy.to_be, placement.seats),
    }
    return list(judged(read_claims(policy.document, policy.environment), moments))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_claims(case: dict[str, Any], read: Callable[..., Policy]) -> None:
    lines = [yaml.safe_dump([claim], default_flow_style=True, width=9999).strip()[1:-1] for claim in case["expect"]]
    claims = "expect:\n" + "".join(f"  - {line}\n" for line in lines)
    text = POLICIES[case.get("policy", "")]
    policy = read({"policy.yml": text, "expect.yml": claims, "c/tower.yml": TOWER, "c/nas.yml": NAS, "c/ml.yml": ML})
    assert policy.findings == ()
    said = [
        f"{one.place.line - 1} {one.severity} {one.rule} {one.subject}: {one.message} | {one.arithmetic} | {one.write}"
        for one in check(policy, decided=case.get("policy") == "spread")
    ]
    assert said == case.get("findings", [])


def test_claims_of_stages_are_measured_at_their_end(read: Callable[..., Policy]) -> None:
    stages = """
rollout:
  stages:
    - {name: one, expect: [{of: node/tower, services: 4}, {at: as-is, of: node/tower, services: 4}]}
    - {name: two, expect: [{of: node/tower, services: 4}]}
"""
    policy = read({"policy.yml": POLICY + stages, "c/tower.yml": TOWER, "c/nas.yml": NAS})
    before = Moment.of(AS_IS, policy.as_is, standing(policy.as_is))
    after = Moment.of(TO_BE, policy.to_be, wished(policy.to_be).seats)
    moments = {AS_IS: before, "one": before, "two": after, TO_BE: after}
    found = list(judged(read_claims(policy.document, policy.environment), moments))
    assert [(one.place.line, one.message) for one in found] == [
        (20, "claims services 4 after two, but it is 5"),
    ]


def test_who_starts_later_takes_nothing_before(checked: Callable[..., tuple[Finding, ...]]) -> None:
    """And who was stopped takes nothing after."""
    policy = """
nodes: {n1: {cpus: 8, memory: 32GiB}}
sources: {shop: {compose: c/shop.yml, node: n1}}
services:
  web: {limits: {memory: 4GiB}}
  db: {replicas: 0}
  new: {compose: {image: "new:1"}, limits: {memory: 1GiB}}
rollout:
  stages:
    - name: cut
      changes: [resize, recreate]
      expect: [{of: services, services: 2, memory: 9GiB, saves: {memory: 2GiB}}, {of: service/new, copies: 0}]
    - name: stop
      changes: [stop, scale]
      expect: [{of: services, copies: 1, memory: 4GiB, saves: {memory: 5GiB}}]
    - name: start
      changes: [start]
      expect: [{of: services, copies: 2, memory: 5GiB}, {of: services, memory: 4GiB}]
"""
    compose = 'services: {web: {image: "web:1", mem_limit: 6g}, db: {image: "db:1", mem_limit: 5g}}'
    found = checked({"policy.yml": policy, "c/shop.yml": compose})
    assert [(one.place.line, one.message) for one in found if one.is_error] == [
        (18, "claims memory 4GiB after start, but it is 5 GiB"),
    ]


def test_a_cut_claimed_twice_is_told_as_the_sum_of_what_was_claimed(read: Callable[..., Policy]) -> None:
    """The node's target does not hold even if every saving that is claimed on it is granted."""
    claims = """
rollout:
  stages: [{name: cut, expect: [{of: service/web, saves: {memory: 1.5GiB}}, {of: service/db, saves: {memory: 1GiB}}]}]
expect:
  - {of: node/tower, memory: 5GiB, saves: {memory: 9GiB}}
"""
    policy = read({"policy.yml": POLICY + claims, "c/tower.yml": TOWER, "c/nas.yml": NAS})
    after = Moment.of(TO_BE, policy.to_be, wished(policy.to_be).seats)
    moments = {AS_IS: Moment.of(AS_IS, policy.as_is, standing(policy.as_is)), "cut": after, TO_BE: after}
    found = list(judged(read_claims(policy.document, policy.environment), moments))
    assert [one.arithmetic for one in found if one.message.startswith("claims memory")] == [
        (
            "7.75 GiB declared + 1 GiB replicas + 2 GiB estimated + 2 GiB reserve = 12.75 GiB"
            "; with every claimed saving granted, one copy of each: 10.75 - 2.5 (cut) = 8.25 GiB of 16"
        )
    ]


def said(text: str, kind: str = "memory") -> Claimed:
    """Return a claimed value as it is written."""
    return claimed(Node(text, Place("f.yml", 1, 1), text=text), kind)


@given(st.integers(0, 2**45), st.integers(0, 4))
@settings(derandomize=True, deadline=None, max_examples=200)
def test_what_a_person_would_write_of_a_truth_holds(truth: int, digits: int) -> None:
    """Rounded or cut, to any number of digits, and as a bound."""
    scale = 10**digits
    cut, rounded = truth * scale // GIB, (2 * truth * scale + GIB) // (2 * GIB)
    for number in {cut, rounded} - {0}:
        text = f"{number // scale}.{number % scale:0{digits}d}GiB" if digits else f"{number}GiB"
        assert said(text).holds(Truth(truth))
    assert said(f"<= {cut // scale + 1}GiB").holds(Truth(truth))
    assert said(f">= {cut // scale}GiB").holds(Truth(truth))


@given(st.integers(1, 5000), st.integers(1, 5000))
@settings(derandomize=True, deadline=None, max_examples=200)
def test_what_is_off_by_a_whole_last_digit_does_not_hold(truth: int, claim: int) -> None:
    """In hundredths of a GiB: a claim holds only within one hundredth of the truth."""
    text = f"{claim // 100}.{claim % 100:02d}GiB"
    holds = said(text).holds(Truth(truth * GIB // 100))
    assert holds is (abs(truth - claim) == 0 or near(truth, claim))


def near(truth: int, claim: int) -> bool:
    """Whether bytes, which are whole, were cut just below the hundredth."""
    return truth * GIB % 100 != 0 and claim == truth - 1


FORMS = (
    "{}GiB",
    "{}MiB",
    "{}.25GiB",
    "<= {}GiB",
    ">= {}GiB",
    "< {}GiB",
    "> {}GiB",
    "{}GiB..9GiB",
    "{}%",
    "<= {}.5%",
    "{}%..7%",
)


@given(st.sampled_from(FORMS), st.integers(0, 99), st.just(0) | st.integers(2**16, 2**44), st.integers(2**28, 2**44))
@settings(derandomize=True, deadline=None, max_examples=500)
def test_what_is_proposed_for_a_wrong_claim_is_right_and_keeps_its_form(
    form: str, number: int, amount: int, whole: int
) -> None:
    claim, truth = said(form.format(number)), Truth(amount, whole=whole)
    right = yaml.safe_load(claim.right(truth))
    assert said(right).holds(truth)
    assert said(right).sign == claim.sign or (claim.sign, amount) == (">", 0)
    assert said(right).is_share == claim.is_share
    assert (said(right).last is None) == (claim.last is None)


@pytest.mark.parametrize(
    ("text", "kind", "truth", "right"),
    [
        ("45GiB", "memory", Truth(27 * GIB), "27GiB"),
        ("<= 20GiB", "memory", Truth(22_305_308_672), '"<= 20.78GiB"'),
        ("19GiB", "memory", Truth(22_305_308_672), "20.77GiB"),
        ("50GiB", "memory", Truth(53 * GIB + 5 * GIB // 8), "53.625GiB"),
        ("900MiB", "memory", Truth(3 * GIB), "3072MiB"),
        ("12GiB", "memory", Truth(0), "0GiB"),
        ("20GiB", "memory", Truth(3 * 2**20), "3MiB"),
        ("20GiB", "memory", Truth(5), "0.005KiB"),
        ("5GiB", "memory", Truth(-2 * GIB), '"-2GiB"'),
        ("900m", "cpus", Truth(1700), "1700m"),
        ("45.5", "cpus", Truth(48_500), "48.5"),
        ("54.1%", "memory", Truth(296, whole=610), "48.5%"),
        ("62%", "memory", Truth(1, whole=2), "50%"),
        ("<= 85%", "memory", Truth(55, whole=64), '"<= 86%"'),
        ("60%..80%", "cpus", Truth(7, whole=8), "60%..87.5%"),
        ("12..20", "cpus", Truth(28_000), '"12..28"'),
        ("20..12", "cpus", Truth(16_000), '"12..20"'),
        ("20..12", "cpus", Truth(2_000), '"2..20"'),
        ("929", COUNT, Truth(69), "69"),
        ("2..3", RATIO, Truth(Fraction(4)), '"2..4"'),
        ("108GiB of 30 services", "memory", Truth(108 * GIB, services=32), "108GiB of 32 services"),
        ("430GB", "disk:data", Truth(336 * 10**9), "336GB"),
        ("9", "agents", Truth(27), "27"),
    ],
)
def test_the_right_value_is_written_as_the_wrong_one_is(text: str, kind: str, truth: Truth, right: str) -> None:
    number = yaml.safe_load(text)
    claim = claimed(Node(number, Place("f.yml", 1, 1), text=text), kind)
    assert not claim.holds(truth)
    assert claim.right(truth) == right


def test_several_truths_are_written_as_the_range_that_they_span() -> None:
    low, high = Truth(Fraction(2)), Truth(Fraction(4))
    assert [said(text, RATIO).right(low, high) for text in ("3", "2..3", "<= 3", ">= 3")] == [
        '"2..4"',
        '"2..4"',
        '"<= 4"',
        '">= 2"',
    ]
