"""A service laid on another: Compose's rules, on any form, with its tags."""

from __future__ import annotations

from typing import Any

import pytest

from bayplan.compose.canonical import canonical_service
from bayplan.compose.merge import merge_files, merge_service
from bayplan.source import Node, plain, read_text

MERGED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "words replace": ("{image: a, restart: always}", "{image: b}", {"image": "b", "restart": "always"}),
    "maps merge over forms": (
        "{environment: [A=1, B=2]}",
        "{environment: {A: 3}}",
        {"environment": {"A": "3", "B": "2"}},
    ),
    "lists grow": ("{dns: 1.1.1.1}", "{dns: [8.8.8.8, 1.1.1.1]}", {"dns": ["1.1.1.1", "8.8.8.8"]}),
    "commands replace": ("{command: a b}", "{command: [c]}", {"command": ["c"]}),
    "ports by what they publish": (
        '{ports: ["80:80"]}',
        '{ports: ["80:80", "81:80"]}',
        {
            "ports": [
                {"target": 80, "published": "80", "protocol": "tcp"},
                {"target": 80, "published": "81", "protocol": "tcp"},
            ]
        },
    ),
    "ports by address and protocol": (
        '{ports: ["53:53", "127.0.0.1:80:80"]}',
        '{ports: ["53:53/udp", "80:80"]}',
        {
            "ports": [
                {"target": 53, "published": "53", "protocol": "tcp"},
                {"target": 80, "published": "80", "protocol": "tcp", "host_ip": "127.0.0.1"},
                {"target": 53, "published": "53", "protocol": "udp"},
                {"target": 80, "published": "80", "protocol": "tcp"},
            ]
        },
    ),
    "mounts by target": (
        "{volumes: ['a:/x']}",
        "{volumes: ['b:/x']}",
        {"volumes": [{"type": "volume", "source": "b", "target": "/x"}]},
    ),
    "version 2 keys meet deploy": (
        "{mem_limit: 1g}",
        "{deploy: {resources: {limits: {memory: 2g}}}}",
        {"deploy": {"resources": {"limits": {"memory": "2g"}}}},
    ),
    "deploy meets version 2 keys": (
        "{deploy: {resources: {limits: {memory: 2g, cpus: '1'}}}}",
        "{mem_limit: 1g}",
        {"deploy": {"resources": {"limits": {"memory": "1g", "cpus": "1"}}}},
    ),
    "reset takes back": ("{ports: [80], image: a}", "{ports: !reset []}", {"image": "a"}),
    "reset takes back one entry": (
        "{networks: {n: {ipv4_address: 10.0.0.2, aliases: [x]}}}",
        "{networks: {n: {ipv4_address: !reset null}}}",
        {"networks": {"n": {"aliases": ["x"]}}},
    ),
    "reset of a version 2 key": (
        "{mem_limit: 1g, cpus: 2}",
        "{mem_limit: !reset 0}",
        {"deploy": {"resources": {"limits": {"cpus": "2"}}}},
    ),
    "override replaces whole": ("{labels: [a=1, b=2]}", "{labels: !override [c=3]}", {"labels": {"c": "3"}}),
    "options belong to a driver": (
        "{logging: {driver: json-file, options: {max-size: 1m}}}",
        "{logging: {driver: journald, options: {tag: x}}}",
        {"logging": {"driver": "journald", "options": {"tag": "x"}}},
    ),
    "networks of a list gain an address": (
        "{networks: [n]}",
        "{networks: {n: {ipv4_address: 10.0.0.9}}}",
        {"networks": {"n": {"ipv4_address": "10.0.0.9"}}},
    ),
    "nothing on something": ("{image: a}", "{}", {"image": "a"}),
    "null in an environment": ("{environment: {A: 1}}", "{environment: {A: }}", {"environment": {"A": None}}),
}


def tree(text: str) -> Node:
    node, findings = read_text(text, "x.yml")
    assert node is not None
    assert not findings
    return node


@pytest.mark.parametrize(("base", "over", "wanted"), MERGED.values(), ids=MERGED)
def test_merges(base: str, over: str, wanted: dict[str, Any]) -> None:
    merged = merge_service(tree(base), tree(over))
    assert plain(merged) == wanted
    assert canonical_service(merged) == (merged, ())


def test_keeps_the_place_of_the_winner() -> None:
    merged = merge_service(tree("{image: a,\n restart: always}"), tree("\n\n{image: b}"))
    image, restart = merged.get("image"), merged.get("restart")
    assert image is not None
    assert restart is not None
    assert (image.place.line, restart.place.line) == (3, 2)


def test_merging_twice_changes_nothing() -> None:
    over = tree("{ports: [80], environment: [A=1], gpus: [{count: 1}], deploy: {replicas: 2}}")
    once = merge_service(tree("{image: a}"), over)
    assert plain(merge_service(once, over)) == plain(once)


def test_files_merge_by_section() -> None:
    base = tree("{services: {a: {image: x, ports: [80]}}, volumes: {v: }}")
    over = tree("{services: {a: {ports: [81]}, b: {image: y}}, volumes: {v: {labels: [a=b]}}}")
    assert plain(merge_files(base, over)) == {
        "services": {
            "a": {"image": "x", "ports": [{"target": 80, "protocol": "tcp"}, {"target": 81, "protocol": "tcp"}]},
            "b": {"image": "y"},
        },
        "volumes": {"v": {"labels": {"a": "b"}}},
    }
