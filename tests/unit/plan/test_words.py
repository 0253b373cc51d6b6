"""A changed value in a few words."""

from typing import Any

import pytest

from bayplan.plan.words import changed


@pytest.mark.parametrize(
    ("key", "before", "after", "words"),
    [
        ("limits.memory", 6 * 2**30, 3 * 2**30, "limits.memory 6 GiB → 3 GiB"),
        ("limits.cpus", None, 250, "limits.cpus none → 0.25 CPU"),
        ("replicas", 4, 2, "replicas 4 → 2"),
        (
            "command",
            ["redis-server", "--maxmemory", "1gb"],
            ["redis-server", "--maxmemory", "768mb"],
            "command 1gb → 768mb",
        ),
        ("command", "serve --key ${KEY:?set it} a", ["serve", "--key", "${KEY:?set it}", "b"], "command a → b"),
        (
            "ports",
            [{"target": 1, "published": "9001"}],
            [{"target": 1, "published": "9101"}],
            "ports.published 9001 → 9101",
        ),
        ("networks.n.ipv4_address", "172.21.0.51", None, "gives up the address 172.21.0.51"),
        ("networks.n", None, "~", ""),
        ("image", "a:1", "a:2", "image a:1 → a:2"),
    ],
)
def test_changed(key: str, before: Any, after: Any, words: str) -> None:
    assert changed(key, before, after) == words
