"""Remedies in an environment: written where it reads them, and before its factors."""

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from bayplan import pipeline, place
from bayplan.policy.fleet import Policy

NODES = "nodes: {n: {cpus: 4, memory: 8GiB}}\nsources: {t: {compose: c/compose.yml, node: n}}\n"
SERVICES = "services: {t/a: {limits: {memory: 3GiB}}, t/b: {limits: {memory: 3GiB}}}\n"
COMPOSE = {"c/compose.yml": "services: {a: {image: a}, b: {image: b}}"}


def _merged(base: Any, over: Any) -> Any:
    """Return what a person makes of a policy and a line to paste: maps merge, everything else is replaced."""
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return over
    return {**base, **{key: _merged(base.get(key), value) for key, value in over.items()}}


def _remedies(policy: Policy) -> list[str]:
    made = pipeline.make_plan(policy, place.decide(policy.to_be), None)
    return [remedy.text for conflict in made.conflicts for remedy in conflict.remedies]


@pytest.mark.parametrize(
    "environment",
    ["{multiply: {memory: 2}}", "{services: {t/a: {limits: {memory: 6GiB}}}}", "{multiply: {memory: 1.5, cpus: 3}}"],
)
def test_each_way_out_works_when_it_is_pasted(environment: str, read: Callable[..., Policy]) -> None:
    text = f"{NODES}{SERVICES}environments: {{prod: {environment}}}\n"
    remedies = _remedies(read({"policy.yml": text, **COMPOSE}, env="prod"))
    assert remedies
    for remedy in remedies:
        pasted = yaml.safe_dump(_merged(yaml.safe_load(text), yaml.safe_load(remedy)))
        policy = read({"policy.yml": pasted, **COMPOSE}, env="prod")
        assert not [finding for finding in policy.findings if finding.is_error], remedy
        assert place.decide(policy.to_be).placement is not None, remedy


def test_without_environments_they_stand_as_they_are(read: Callable[..., Policy]) -> None:
    limits = SERVICES.replace("3GiB", "6GiB")
    remedies = _remedies(read({"policy.yml": f"{NODES}{limits}", **COMPOSE}))
    assert remedies
    assert not [remedy for remedy in remedies if remedy.startswith("environments")]
