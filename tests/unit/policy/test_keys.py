"""Keys of the policy language are found as people type them, and shown as the reference shows them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from bayplan.policy import keys
from bayplan.policy.keys import key_at, key_called, near
from bayplan.policy.manual import excerpt
from bayplan.source import read_yaml, walk

REFERENCE = Path(__file__).parents[3] / "policies" / "reference"
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in REFERENCE.glob("*.yml")}
SMALL = """# The machines.
nodes:
  front: {cpus: 8, memory: 16GiB}     # one that is written on a line
  # This one is large.
  lab:
    cpus: 64                          # logical ones,
                                      # not cores
    memory: 256GiB
"""


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("services.limits.memory", "services.*.limits.memory"),
        ("services.web.limits.memory", "services.*.limits.memory"),
        ("services.*.limits.memory", "services.*.limits.memory"),
        ("services.limits.licences", "services.*.limits.*"),
        ("services.web", "services.*"),
        ("nodes.tower.reserve", "nodes.*.reserve"),
        ("pools.quota", "pools.*.quota"),
        ("alerts.node.memory.warning", "alerts.*.warning"),
        ("environments.production.services.web.replicas", "environments.*.services.*.replicas"),
        ("expect", "expect"),
        ("expect.of", "expect.[].of"),
        ("expect[0].of", "expect.[].of"),
        ("expect.[].requests.cpus", "expect.[].requests.cpus"),
    ],
)
def test_a_key_is_found_with_the_names_and_without(words: str, name: str) -> None:
    key = key_called(words)
    assert key is not None
    assert key.name == name


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("services.limits.memroy", "services.limits.memory"),
        ("services.limit.memory", "services.limits.memory"),
        ("services.replica", "services.replicas"),
        ("gpu", "services.gpu"),
        ("poools.quota", "pools.quota"),
    ],
)
def test_a_misspelt_key_is_no_name(words: str, meant: str) -> None:
    assert key_called(words) is None
    assert meant in near(words)


@pytest.mark.parametrize("words", ["", ".", "*", "nonsense", "services.web.nonsense.more", "targets.x"])
def test_what_is_no_key(words: str) -> None:
    assert key_called(words) is None


def test_every_key_is_found_as_it_is_typed() -> None:
    typed = keys._typed()
    assert len(typed) > 400
    for words in typed:
        key = key_called(words)
        assert key is not None, words
        assert ".".join(part for part in key.path if part not in {"*", "[]"}) == words


def test_what_is_known_of_a_key() -> None:
    replicas, quality, gpu = (key_called(f"services.{name}") for name in ("replicas", "qos", "gpu"))
    assert replicas
    assert (replicas.takes, replicas.default) == ("a whole number", "1")
    assert quality
    assert quality.choices == ("guaranteed", "burstable", "besteffort")
    assert quality.default == "derived from requests and limits as in Kubernetes"
    assert gpu
    assert gpu.examples == ("2.5GiB", "1", "1g.10gb")
    assert "isolation" in gpu.keys


@pytest.mark.parametrize("path", sorted(REFERENCE.glob("*.yml")), ids=lambda path: path.stem)
def test_every_line_of_the_reference_is_shown_by_its_key(path: Path) -> None:
    document, found = read_yaml(path)
    assert document is not None
    assert found == ()
    for steps, _ in walk(document):
        if not steps or "compose" in steps or str(steps[-1]).startswith("x-"):
            continue
        key = key_at(tuple("[]" if isinstance(step, int) else step for step in steps))
        assert key is not None, steps
        where, text = excerpt(key.path, TEXTS)
        assert where
        assert yaml.safe_load(text) is not None


@pytest.mark.parametrize(
    ("path", "where", "text"),
    [
        (("nodes",), "a.yml:2", SMALL),
        (("nodes", "*"), "a.yml:3", "front: {cpus: 8, memory: 16GiB}     # one that is written on a line\n"),
        (("nodes", "*", "cpus"), "a.yml:6", "cpus: 64                          # logical ones,\n                                  # not cores\n"),
        (("nodes", "*", "memory"), "a.yml:8", "memory: 256GiB\n"),
        (("nodes", "*", "gpus"), "", ""),
    ],
)  # fmt: skip
def test_an_excerpt_brings_its_comments(path: tuple[str, ...], where: str, text: str) -> None:
    assert excerpt(path, {"a.yml": SMALL}) == (where, text.rstrip("\n"))
