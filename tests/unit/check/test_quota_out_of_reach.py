"""A member that asks for more than its quota, and for more than all nodes have: it is the member that is too large."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bayplan.finding import Finding

POLICY = """\
nodes: {n1: {cpus: 8, memory: 16GiB, reserve: {memory: 2GiB}}}
services:
  a: {compose: {image: "a:1"}, pool: jobs, limits: {cpus: 1, memory: %s}}
  b: {compose: {image: "b:1"}, pool: jobs, limits: {cpus: 1, memory: 1GiB}}
  c: {compose: {image: "c:1"}, limits: {cpus: 1, memory: 2GiB}}
pools: {jobs: {quota: {requests: {cpus: 2, memory: 4GiB}}}}
"""


@pytest.mark.parametrize(
    ("asked", "paste"),
    [
        ("12GiB", "services: {a: {limits: {memory: 3GiB}}}"),
        ("5GiB", "pools: {jobs: {quota: {requests: {memory: 6GiB}}}}"),
    ],
)
def test_a_quota_is_raised_only_as_far_as_the_nodes_have_room(
    asked: str,
    paste: str,
    checked: Callable[..., tuple[Finding, ...]],
    mended: Callable[[Mapping[str, str], Finding], dict[str, str]],
) -> None:
    texts = {"policy.yml": POLICY % asked}
    (found,) = [one for one in checked(texts) if one.rule == "pool/quota"]
    assert found.paste == paste
    assert not [one for one in checked(mended(texts, found)) if one.is_error]
