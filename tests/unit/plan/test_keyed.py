"""Fragments of the placement are pasted under the keys that a policy has, or they would contradict it."""

import pytest

from bayplan.finding import NOWHERE, warning
from bayplan.plan.setting import keyed
from bayplan.source import read_text

POLICY = """
nodes: {"n[1:3]": {cpus: 4}, solo: {cpus: 4}}
services: {web: {}, shop/api: {}}
volumes: {logs: {}}
environments: {prod: {services: {db: {}}}}
"""


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("services: {shop/web: {replicas: 1}}", "services: {web: {replicas: 1}}"),
        ("services: {shop/api: {replicas: 1}}", "services: {shop/api: {replicas: 1}}"),
        ("services: {shop/new: {replicas: 1}}", "services: {shop/new: {replicas: 1}}"),
        (
            "environments: {prod: {services: {shop/db: {replicas: 1}, shop/web: {replicas: 2}}}}",
            "environments: {prod: {services: {db: {replicas: 1}, web: {replicas: 2}}}}",
        ),
        ("volumes: {shop/logs: {access: network}}", "volumes: {logs: {access: network}}"),
        ("volumes: {shop/web: {access: network}}", "volumes: {shop/web: {access: network}}"),
        ("networks: {shop/web: {between_nodes: overlay}}", "networks: {shop/web: {between_nodes: overlay}}"),
        ('nodes: {n2: {core_map: {db: "2-4"}}}', 'nodes: {"n[1:3]": {core_map: {db: "2-4"}}}'),
        ("nodes: {solo: {cpus: 8}}", "nodes: {solo: {cpus: 8}}"),
        ("pools: {shop/web: {}}", "pools: {shop/web: {}}"),
        ("", ""),
    ],
)
def test_a_fragment_uses_the_keys_that_are_there(said: str, written: str) -> None:
    document, found = read_text(POLICY, "policy.yml")
    assert document is not None, found
    before = warning("x/y", NOWHERE, "z", "is so", paste=said)
    assert keyed(before, document, "prod").paste == written
