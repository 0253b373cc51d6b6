"""What every policy compiles to: Docker Compose takes it, it says what the model says, and it is the same each time."""

from __future__ import annotations

import random
import re
import shutil
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from bayplan import pipeline, place
from bayplan.compose.read import read_project
from bayplan.compose.service import to_service
from bayplan.model.names import Name
from bayplan.model.quantity import CPUS, MEMORY, PIDS, SWAP
from bayplan.plan.diff import diff
from bayplan.render.compose import compose_trees
from bayplan.render.emit import bare
from bayplan.render.placement import FILE, placement_text, read_placement
from bayplan.source import plain
from bayplan.tuning.recipes import tuned

from .conftest import CASES, ROOT, compile_

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bayplan.model.service import Port, Service

    from .conftest import Compiled

every_policy = pytest.mark.parametrize("case", CASES)
SHARES = 1024


@every_policy
def test_compose_takes_every_file(
    case: str,
    compiled: Callable[[str], Compiled],
    env_file: Callable[[Path], Path],
    compose: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    made = compiled(case)
    assert made.files
    for path in alike(made):
        done = compose("--env-file", str(env_file(path)), "--file", str(path), "config", "-q")
        assert (done.returncode, done.stderr) == (0, ""), path


def alike(made: Compiled) -> list[Path]:
    """Return the files of a tree, of those that differ in numbers of cards only a few."""
    found: dict[tuple[str, ...], list[Path]] = {}
    for path in made.files.values():
        services = yaml.safe_load(path.read_text())["services"]
        found.setdefault(tuple(sorted(str(one.get("image", one)) for one in services.values())), []).append(path)
    return [path for paths in found.values() for path in paths[:2]]


@every_policy
def test_read_back_it_is_the_tree_that_was_written(
    case: str, compiled: Callable[[str], Compiled], env_file: Callable[[Path], Path]
) -> None:
    """Nothing of the text is in another form than the one that is read into: `observe` sees no change."""
    made = compiled(case)
    for (node, project), tree in compose_trees(made.policy.to_be, made.placement).items():
        path = made.files[f"{node}/{project}"]
        found, findings = read_project(project, [path], env_file=env_file(path))
        assert found is not None, findings
        assert not [one for one in findings if one.is_error]
        wanted = resolved(bare(tree))
        assert sorted(found.services) == sorted(wanted["services"])
        for name, service in found.services.items():
            assert tidy(plain(service)) == tidy(wanted["services"][name]), f"{node}/{project}/{name}"
        for section in ("networks", "volumes", "secrets", "configs"):
            entries = {key: tidy(plain(one)) for key, one in getattr(found, section).items()}
            assert entries == {key: tidy(one) for key, one in wanted.get(section, {}).items()}


def resolved(value: Any) -> Any:
    """Return a tree with the address that every node has in these tests."""
    if isinstance(value, dict):
        return {key: resolved(child) for key, child in value.items()}
    if isinstance(value, list):
        return [resolved(child) for child in value]
    return re.sub(r"\$\{BAYPLAN_ADDRESS_[^}]*\}", "192.0.2.1", value) if isinstance(value, str) else value


def tidy(value: Any) -> Any:
    """Return a tree in which what says nothing is written in one way: `{web: }` is `{web: {}}`."""
    if isinstance(value, dict):
        return {key: tidy(child) for key, child in value.items()}
    if isinstance(value, list):
        return [tidy(child) for child in value]
    return {} if value is None else value


def standing(made: Compiled) -> Iterator[tuple[str, str, list[Any], Service]]:
    """Yield node, Compose name, seats and service for each Compose service that should be written."""
    groups: dict[tuple[str, Name, tuple[int, ...]], list[Any]] = {}
    for copy, seat in sorted(made.placement.seats.items()):
        groups.setdefault((seat.node, copy.service, seat.gpus), []).append(copy)
    for (node, name, _), copies in groups.items():
        split = sum(other[:2] == (node, name) for other in groups) > 1
        key = f"{name.name}-{copies[0].number}" if split else name.name
        yield node, key, [made.placement.seats[copy] for copy in copies], made.policy.to_be.services[name]


@every_policy
def test_read_back_it_is_the_model(
    case: str, compiled: Callable[[str], Compiled], env_file: Callable[[Path], Path]
) -> None:
    made = compiled(case)
    read: dict[tuple[str, str], dict[str, Service]] = {}
    for where, path in made.files.items():
        node, project = where.split("/")
        found, _ = read_project(project, [path], env_file=env_file(path))
        assert found is not None
        read[node, project] = {key: to_service(project, key, one)[0] for key, one in found.services.items()}
    count = 0
    for node, key, seats, service in standing(made):
        written = read[node, service.name.project].pop(key)
        wanted = facts_of(service, len(seats))
        if node in exclusive(made):  # whose cores are whose, the next test asks
            wanted["cpuset"] = written.body.get("cpuset")
        assert facts(written) == wanted, f"{node}/{key}"
        assert written.body.get("environment", {}) == environment(service)
        assert_ties(made, node, service, written)
        known = made.policy.to_be.nodes[node].gpus
        cards = [card.uuid or str(card.index) for card in known if card.index in seats[0].gpus]
        if service.gpu and (service.gpu.memory or service.gpu.count or service.gpu.profile):
            assert written.gpu is not None
            assert list(written.gpu.device_ids) == cards
        count += 1
    assert count
    assert not any(read.values()), "a Compose service that nobody asked for"


def exclusive(made: Compiled) -> set[str]:
    """Return the nodes that have a service with cores of its own."""
    seats = made.placement.seats.items()
    return {seat.node for copy, seat in seats if made.policy.to_be.services[copy.service].cores == "exclusive"}


@every_policy
def test_cores_of_ones_own_are_nobody_elses(case: str, compiled: Callable[[str], Compiled]) -> None:
    made = compiled(case)
    files = {where: yaml.safe_load(path.read_text())["services"] for where, path in made.files.items()}
    for node in exclusive(made):
        used: Counter[int] = Counter()
        alone: set[int] = set()
        for there, key, seats, service in standing(made):
            if there != node:
                continue
            cores = listed(files[f"{node}/{service.name.project}"][key]["cpuset"])
            used.update(cores)
            if service.cores == "exclusive":
                alone |= cores
                assert len(cores) * 1000 >= len(seats) * service.limits[CPUS].amount
        assert alone
        assert {used[core] for core in alone} == {1}


def listed(text: str) -> set[int]:
    """Return the cores of `0-3,8`."""
    ranges = [part.partition("-") for part in text.split(",")]
    return {core for first, _, last in ranges for core in range(int(first), int(last or first) + 1)}


def assert_ties(made: Compiled, node: str, service: Service, written: Service) -> None:
    """Whom a service waits for stands on its node, or has its name in the hosts; never both."""
    hosts = {line.split(":")[0] for line in written.body.get("extra_hosts", [])}
    waits = {one.name for one in written.depends_on}
    for one in service.depends_on:
        name = Name(service.name.project, one.name)
        nodes = {seat.node for copy, seat in made.placement.seats.items() if copy.service == name}
        near = any(re.fullmatch(rf"{one.name}(-[0-9]+)?", waiting) for waiting in waits)
        assert near is (node in nodes)
        assert (one.name in hosts) is (bool(nodes) and node not in nodes)


def facts(service: Service) -> dict[str, Any]:
    """Return what a service is, apart from its name: what is read from its file and what the model wants alike."""
    return {
        "image": service.image,
        "build": service.build,
        "container_name": service.container_name,
        "limits": {key: one.amount for key, one in service.limits.items()},
        "memory": {key: one.amount for key, one in service.requests.items() if key == MEMORY},
        "shares": service.body.get("cpu_shares"),
        "replicas": service.replicas.count,
        "ports": {(port.published, port.target, port.protocol, port.host_ip) for port in service.ports},
        "mounts": {(one.kind, one.source, one.target, one.read_only) for one in service.mounts},
        "networks": {one.network for one in service.networks},
        "cpuset": service.body.get("cpuset"),
    }


def facts_of(service: Service, copies: int) -> dict[str, Any]:
    """Return what the file of a service should say."""
    limits = {key: one.amount for key, one in service.limits.items() if key in (CPUS, MEMORY, PIDS, SWAP)}
    share = service.requests.get(CPUS)
    return facts(service) | {
        "limits": limits,
        "shares": max(2, round(share.amount * SHARES / 1000)) if share else None,
        "replicas": copies,
        "ports": {remapped(service, port) for port in service.ports},
        "cpuset": cores(service),
    }


def remapped(service: Service, port: Port) -> tuple[int | None, int, str, str]:
    published = service.remap_ports.get(port.published, port.published) if port.published else port.published
    return published, port.target, port.protocol, port.host_ip


def cores(service: Service) -> str | None:
    """Return the cores of the two policies that name some; SutazAI's and the reference's core maps, by hand."""
    known = {"api": "2-3", "postgres": "4", "redis": "5", "ollama": "6-8", "agents": "9-10", "bench": "11", "db": "2-5"}
    return known.get(service.cores)


def environment(service: Service) -> dict[str, Any]:
    made = tuned(service)
    written = {key: value for key, value in (service.body.get("environment") or {}).items() if key not in made.without}
    return written | dict(made.environment)


@every_policy
def test_the_decision_is_read_back(case: str, compiled: Callable[[str], Compiled]) -> None:
    made = compiled(case)
    found, findings = read_placement(made.root / FILE)
    assert findings == ()
    assert found is not None
    assert found.seats == made.placement.seats
    assert placement_text(found, f"policies/{case.split('/', maxsplit=1)[0]}") == made.texts[FILE]


@every_policy
def test_nothing_of_this_machine_stands_in_it(case: str, compiled: Callable[[str], Compiled]) -> None:
    for path, text in compiled(case).texts.items():
        assert str(ROOT) not in text, path
        assert text.endswith("\n"), path
        assert "\t" not in text, path
        assert " \n" not in text, path


@every_policy
def test_the_last_stage_is_the_end(case: str, compiled: Callable[[str], Compiled]) -> None:
    made = compiled(case)
    plan = pipeline.make_plan(made.policy, place.Decision(made.placement), None)
    assert plan.stages[-1].ledger == plan.after
    assert sorted(change.service for stage in plan.stages for change in stage.changes) == [
        change.service for change in plan.changes
    ]
    again = pipeline.make_plan(made.policy, place.Decision(made.placement), None)
    assert again.changes == plan.changes
    assert diff({}, {}) == ()


def shuffled(node: yaml.Node, chance: random.Random) -> yaml.Node:
    """Return a YAML tree with the keys of its mappings in another order."""
    if isinstance(node, yaml.MappingNode):
        chance.shuffle(node.value)
        for key, value in node.value:
            shuffled(key, chance)
            shuffled(value, chance)
    elif isinstance(node, yaml.SequenceNode):
        for child in node.value:
            shuffled(child, chance)
    return node


@every_policy
def test_another_order_of_files_and_keys_gives_the_same_bytes(
    case: str, compiled: Callable[[str], Compiled], tmp_path: Path
) -> None:
    name, env = case.split("/")
    chance = random.Random(case)
    folder = tmp_path / "policies" / name
    shutil.copytree(ROOT / "policies" / name, folder)
    for file in sorted(folder.rglob("*.yml")):
        tree = shuffled(yaml.compose(file.read_text(), yaml.SafeLoader), chance)
        file.write_text(yaml.serialize(tree, width=10**6))
    files = sorted(folder.glob("*.yml"))
    for file, place_ in zip(files, reversed(range(len(files))), strict=True):
        file.rename(folder / f"{place_}.yml")
    texts = compile_(folder, env, tmp_path / "out", name).texts
    for path, text in compiled(case).texts.items():
        assert texts.pop(path) == text
    assert not texts


def test_compiling_again_changes_nothing(compiled: Callable[[str], Compiled], tmp_path: Path) -> None:
    """From nothing, and from the recorded decision."""
    first = compiled("bev/default")
    assert compile_(ROOT / "policies" / "bev", "default", tmp_path / "new", "bev").texts == first.texts
    before = {path: path.stat().st_mtime_ns for path in first.root.rglob("*")}
    again = compile_(ROOT / "policies" / "bev", "default", first.root.parent, "bev")
    assert again.texts == first.texts
    assert {path: path.stat().st_mtime_ns for path in first.root.rglob("*")} == before


def test_a_new_service_touches_its_own_file(compiled: Callable[[str], Compiled], tmp_path: Path) -> None:
    first = compiled("bev/default")
    shutil.copytree(ROOT / "policies" / "bev", tmp_path / "policies" / "bev")
    shutil.copytree(first.root, tmp_path / "compiled" / "bev" / "default")
    more = 'services:\n  extra: {compose: {image: "extra:1"}, limits: {memory: 64MiB}, placement: oracle1}\n'
    (tmp_path / "policies" / "bev" / "more.yml").write_text(more)
    rollout = tmp_path / "policies" / "bev" / "rollout.yml"
    rollout.write_text(rollout.read_text().replace("changes: [move]", "changes: [move, start]"))
    second = compile_(tmp_path / "policies" / "bev", "default", tmp_path / "compiled" / "bev", "bev")
    paths = first.texts.keys() | second.texts.keys()
    differ = {path for path in paths if first.texts.get(path) != second.texts.get(path)}
    assert differ == {FILE, "oracle1/bev/compose.yaml"}
    lines = set(second.texts[FILE].splitlines()) - set(first.texts[FILE].splitlines())
    assert lines == {"  bev/extra: oracle1"}


def test_every_policy_is_here() -> None:
    assert {case.split("/")[0] for case in CASES} >= {
        "acgs", "bev", "fixwurx", "gpu-shop", "home-lab", "reference", "sutazai",
    }  # fmt: skip
