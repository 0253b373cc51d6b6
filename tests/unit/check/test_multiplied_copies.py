"""Ways out that say fewer copies than the factor of an environment always gives: the factor is lowered with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bayplan.finding import Finding

NODES = "nodes: {n1: {cpus: 8, memory: 32GiB, reserve: {memory: 2GiB}, gpus: {count: 2, model: T4, memory: 16GiB}}}\n"
FACTOR = "environments: {prod: {multiply: {replicas: 3}}}\n"


@pytest.mark.parametrize(
    ("service", "rule", "paste"),
    [
        (
            'web: {compose: {image: "web:1.0", ports: ["8080:80"]}, limits: {cpus: 1, memory: 1GiB}}',
            "replicas/one-identity",
            "environments: {prod: {multiply: {replicas: 1}, services: {web: {replicas: 1}}}}",
        ),
        (
            'train: {compose: {image: "train:1.0"}, limits: {cpus: 1, memory: 1GiB}, gpu: 1}',
            "gpu/fewer-cards",
            "environments: {prod: {multiply: {replicas: 2}, services: {train: {replicas: 1}}}}",
        ),
        (
            'api: {compose: {image: "api:1.0"}, limits: {cpus: 1, memory: 1GiB}, scale: {min: 1, max: 9}}',
            "capacity/replicas-at-max",
            "services: {api: {scale: {max: 2}}}",
        ),
    ],
)
def test_a_factor_that_always_gives_more_is_lowered(
    service: str,
    rule: str,
    paste: str,
    checked: Callable[..., tuple[Finding, ...]],
    mended: Callable[[Mapping[str, str], Finding], dict[str, str]],
) -> None:
    texts = {"policy.yml": f"{NODES}services:\n  {service}\n{FACTOR}"}
    (found,) = [one for one in checked(texts, "prod") if one.is_error]
    assert (found.rule, found.paste) == (rule, paste)
    assert not [one for one in checked(mended(texts, found), "prod") if one.is_error]
