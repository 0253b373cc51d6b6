"""Reading a policy takes work in proportion to its size: calls are counted, not seconds.

Between n and 2n, and between 2n and 3n services, as many calls are added, or somebody asks each about every other.
"""

from __future__ import annotations

import contextlib
import cProfile
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

sys.path.append(str(Path(__file__).parents[3] / "bench"))

from shapes import SHAPES

from bayplan.policy import patterns
from bayplan.policy.fleet import read_policy
from bayplan.policy.patterns import Texts

if TYPE_CHECKING:
    from bayplan.policy.fleet import Policy

Files = dict[str, str]
Shape = Callable[[int, int], Files]
SIZE = 60
MORE = 1.01
"""What the second step may take of the first; asking each about every other takes from 1.02 to 1.16."""


def mistaken(services: int, nodes: int) -> Files:
    """Return services each of which says something wrong: to the schema, of names, nodes, groups and values."""
    lines = ["nodes:", *(f"  n{n}: {{cpus: 8, memory: 16GiB}}" for n in range(nodes)), "services:"]
    for n in range(services):
        lines += [
            f"  s{n:04d}: {{compose: {{image: a, prots: [x], mem_limit: lots}}, qos: best, tier: t{n}, limits: {{memory: 1G}}}}",
            f"  gone{n:04d}: {{limits: {{memory: 1GiB}}}}",
            f"  s{n:04d}*: {{limits: {{memory: 2GiB}}, requests: {{memory: 3GiB}}}}",
            f"  x{n:04d}: {{compose: {{image: b}}, placement: {{nodes: [m{n}], anti_affinity: {{node: [y{n:04d}]}}}}}}",
        ]
    return {"policy.yml": "\n".join(lines)}


def alike(services: int, nodes: int) -> Files:
    """Return services that many patterns speak of: the same of each, and of all nodes."""
    lines = ["nodes:", *(f"  n{n:03d}: {{cpus: 8, memory: 16GiB}}" for n in range(nodes)), "services:"]
    lines += [f"  s{n:04d}: {{compose: {{image: 'a:{n}'}}}}" for n in range(services)]
    lines += [f"  's*{n}': {{limits: {{memory: {n + 1}GiB, cpus: 1}}, why: told}}" for n in range(10)]
    lines += ["defaults: {placement: {nodes: ['n[000:002]', 'n00*']}, requests: {cpus: 10m}}"]
    lines += ["environments: {default: {services: {'*': {qos: burstable}, 's?*': {compose: {labels: [a=b]}}}}}"]
    lines += ["estimates:", *(f"  - {{match: s{n:04d}, memory: 1MiB}}" for n in range(services))]
    return {"policy.yml": "\n".join(lines)}


def observed(services: int, nodes: int) -> Files:
    """Return Compose projects whose containers were seen, but for a few, on nodes that all were looked at."""
    files = SHAPES["composed"](services, nodes)
    projects = sorted(path.split("/")[1] for path in files if path.startswith("c/"))
    for n in range(nodes):
        mine = projects[n::nodes]
        seen = [f"  - {{project: {one}, service: app-{k}, number: 1}}" for one in mine for k in range(15)]
        volumes = [f"  {one}_data-0: 1000" for one in mine]
        head = f"schema_version: 1\nnode: n{n:03d}\ncpus: 64\nmemory: 274877906944\nvolumes:"
        files[f"observed/n{n:03d}.yml"] = "\n".join([head, *volumes, "services:", *seen])
    return files


ALL: dict[str, Shape] = {**SHAPES, "mistaken": mistaken, "alike": alike, "observed": observed}


@pytest.fixture
def big(tmp_path: Path) -> Callable[[Shape, int], Callable[[], Policy]]:
    """Return what writes a policy of a shape and a size, and returns what reads it."""

    def write(shape: Shape, services: int) -> Callable[[], Policy]:
        root = tmp_path / str(services)
        for name, text in shape(services, services // 20).items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

        def read() -> Policy:
            with contextlib.chdir(root):
                return read_policy(Path(), Path(), "small" if shape in {SHAPES["composed"], observed} else None)

        return read

    return write


def calls(work: Callable[[], object]) -> int:
    """Return how many functions a piece of work calls, in Python and below."""
    profile = cProfile.Profile()
    profile.runcall(work)
    return sum(function.callcount for function in profile.getstats())


@pytest.mark.parametrize("shape", ALL.values(), ids=ALL)
def test_twice_as_many_services_take_twice_the_work(
    shape: Shape, big: Callable[[Shape, int], Callable[[], Policy]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patterns, "_FEW", 0)
    monkeypatch.setattr(patterns, "_NEIGHBOURS", 2)
    reads = [big(shape, SIZE * times) for times in (1, 2, 3)]
    for read in reads:
        read()  # expressions are compiled, modules imported
    once, twice, thrice = (calls(read) for read in reads)
    assert thrice - twice < MORE * (twice - once)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_the_shapes_are_sound_and_jsonschema_is_not_asked(
    shape: Shape, big: Callable[[Shape, int], Callable[[], Policy]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(*_: object, **__: object) -> None:
        raise AssertionError("jsonschema was asked about a sound policy")

    read = big(shape, SIZE)
    read()
    monkeypatch.setattr(Draft202012Validator, "descend", asked)
    policy = read()
    assert policy.findings == ()
    assert len(policy.to_be.services) == SIZE


def test_a_pattern_is_asked_of_those_alone_that_begin_as_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    beginning = Texts._beginning

    def counting(texts: Texts, start: str) -> tuple[str, ...]:
        found = beginning(texts, start)
        asked.append(len(found))
        return found

    monkeypatch.setattr(Texts, "_beginning", counting)
    texts = Texts(f"p{n:02d}-{k}" for n in range(100) for k in range(20))
    assert (
        texts.matching("p07-1*") == texts.matching("p07-1*") == tuple(sorted(f"p07-{k}" for k in (1, *range(10, 20))))
    )
    assert texts.matching("p07-5") == ("p07-5",)
    assert asked == [11]
