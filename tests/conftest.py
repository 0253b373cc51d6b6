"""What tests of several stages share: policies from a few texts, read; and what came out, in words."""

from __future__ import annotations

import contextlib
import json
import resource
import signal
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import pytest
import yaml
from xdist.scheduler import LoadScopeScheduling

from bayplan import checkup
from bayplan.finding import Place, in_order
from bayplan.model import units
from bayplan.model.fleet import Network, Node, Volume
from bayplan.model.service import Service
from bayplan.policy.fleet import read_policy
from bayplan.rollout.collection import collections_path
from bayplan.source.read import read_text
from bayplan.workspace import workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from bayplan.finding import Finding
    from bayplan.model.quantity import Quantity
    from bayplan.policy.fleet import Policy
    from bayplan.source import Node as Yaml

FLEET = "shop"
sys.path.append(str(collections_path()))  # tests import the collection by the name that Ansible gives it


class Scheduling(LoadScopeScheduling):
    """One test after the other, and the modules of the fleet each on one worker: they share a lab."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.partition("::")[0] if nodeid.startswith("tests/fleet/") else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    """Return who gives tests to the workers, in place of xdist's groups, which pytest's ids no longer carry."""
    return Scheduling(config, log)


class Read(Protocol):
    """Writes the files of a policy folder called `shop` and reads it."""

    def __call__(self, texts: str | Mapping[str, str], env: str | None = None) -> Policy:
        """Return the policy of `texts`: path → text, or the text of `policy.yml` alone.

        Compose files go into a folder of their own (`c/web.yml`), observed facts into `observed/`.
        """


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str | Mapping[str, str]], Path]:
    """Return what writes the files of a policy folder called `shop`."""

    def write(texts: str | Mapping[str, str]) -> Path:
        root = tmp_path_factory.mktemp("policy") / FLEET
        for name, text in ({"policy.yml": texts} if isinstance(texts, str) else texts).items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return root

    return write


@pytest.fixture(scope="session")
def read(folder: Callable[[str | Mapping[str, str]], Path]) -> Read:
    """Return what reads a policy from texts. Its places are relative to the policy folder: `policy.yml:3:5`."""

    def read_texts(texts: str | Mapping[str, str], env: str | None = None) -> Policy:
        with contextlib.chdir(folder(texts)):
            return read_policy(Path(), inventory=Path(), env=env)

    return read_texts


@pytest.fixture(scope="session")
def checked(folder: Callable[[str | Mapping[str, str]], Path]) -> Callable[..., tuple[Finding, ...]]:
    """Return what checks a policy from texts, as `bayplan check` does, and returns all findings in order."""

    def check_texts(
        texts: str | Mapping[str, str], env: str | None = None, *, strict: bool = False
    ) -> tuple[Finding, ...]:
        with contextlib.chdir(folder(texts)):
            space = workspace(Path())
            policy = read_policy(Path(), inventory=Path(), env=env)
            broken = any(one.is_error for one in policy.findings)
            return in_order(policy.findings) if broken else checkup.check(space, policy, strict=strict)

    return check_texts


@pytest.fixture(scope="session")
def mended() -> Callable[[Mapping[str, str], Finding], dict[str, str]]:
    """Return what does literally as a finding says: writes its value at its place, or merges what is to be pasted."""

    def mend(texts: Mapping[str, str], finding: Finding) -> dict[str, str]:
        if finding.write:
            name = Path(finding.place.file).name if finding.place.file not in texts else finding.place.file
            return {**texts, name: written_at(texts[name], finding.place, finding.write)}
        policies = {name: text for name, text in texts.items() if "/" not in name and name.endswith(".yml")}
        whole: Yaml | None = None
        for name, text in (*sorted(policies.items()), ("paste", finding.paste)):
            document, found = read_text(text, name)
            assert document is not None, found
            whole = document if whole is None else pasted(whole, document)
        assert whole is not None
        others = {name: text for name, text in texts.items() if name not in policies}
        return {**others, "policy.yml": "".join(f"{key}: {flow(one)}\n" for key, one in whole.items())}

    return mend


@pytest.fixture(scope="session")
def dumped() -> Callable[[Yaml], str]:
    """Return what writes a policy's tree down again, a line for each key at its top."""
    return lambda tree: "".join(f"{key}: {flow(one)}\n" for key, one in tree.items())


def written_at(text: str, place: Place, value: str) -> str:
    """Return a YAML text in which the value that begins at a place is another one."""
    for event in yaml.parse(text):
        mark = event.start_mark
        if isinstance(event, yaml.ScalarEvent) and (mark.line + 1, mark.column + 1) == (place.line, place.column):
            return text[: mark.index] + value + text[event.end_mark.index :]
    raise AssertionError(f"no value begins at {place}")


def pasted(base: Yaml, fragment: Yaml) -> Yaml:
    """Return a tree into which another is merged: maps merge, all else is replaced."""
    if not (base.is_map and fragment.is_map) or fragment.tag:
        return fragment
    merged = dict(base.value)
    for key, value in fragment.items():
        merged[key] = pasted(merged[key], value) if key in merged else value
    return base.with_value(merged)


def flow(node: Yaml) -> str:
    """Return a tree as YAML on one line, tags and plain words as they were."""
    tag = f"{node.tag} " if node.tag else ""
    if node.is_map:
        return f"{tag}{{{', '.join(f'{json.dumps(key)}: {flow(child)}' for key, child in node.items())}}}"
    if node.is_list:
        return f"{tag}[{', '.join(flow(child) for child in node)}]"
    return tag + (json.dumps(node.value) if isinstance(node.value, str) else node.text or json.dumps(node.value))


@pytest.fixture(scope="session")
def said() -> Callable[[Iterable[Finding]], list[str]]:
    """Return what writes findings as one line each, in order."""
    return lambda findings: [
        f"{one.place} {one.severity} {one.rule} {one.subject}: {one.message}" for one in in_order(tuple(findings))
    ]


@pytest.fixture(scope="session")
def facts() -> Callable[[Any], dict[str, str]]:
    """Return what writes a service, a node, a volume or a network as key → words; what it has not is not there."""
    writers = {Service: _service, Node: _node, Volume: _volume, Network: _network}

    def write(thing: Any) -> dict[str, str]:
        found = writers[type(thing)](thing)
        return {key: str(value) for key, value in found.items() if value not in ("", (), {}, None)}

    return write


@pytest.fixture(scope="session")
def placeless() -> Callable[[Any], Any]:
    """Return what turns a value into plain data without the places in it, to compare what moved in its files."""
    return _placeless


def _service(service: Service) -> dict[str, Any]:
    replicas, gpu, rule = service.replicas, service.gpu, service.placement
    return {
        **_amounts("requests", service.requests),
        **_amounts("limits", service.limits),
        **_amounts("estimates", service.estimates),
        "replicas": f"{replicas.count} of {replicas.minimum}..{replicas.maximum}"
        if replicas.scaled
        else replicas.count,
        "tier": service.tier,
        "pool": service.pool,
        "qos": service.qos,
        "cores": service.cores,
        "image": service.image,
        "active": service.active,
        "why": service.why,
        "ports": ", ".join(str(port) for port in service.ports),
        "remap": ", ".join(f"{old} to {new}" for old, new in service.remap_ports.items()),
        "gpu.memory": units.show_bytes(gpu.memory) if gpu and gpu.memory else "",
        "gpu.count": gpu.count or "" if gpu else "",
        "gpu.profile": gpu.profile if gpu else "",
        "gpu.access": gpu.access or "" if gpu else "",
        "placement.node": rule.node,
        "placement.nodes": ", ".join(rule.nodes),
        "placement.require": dict(rule.require),
        "placement.anti_affinity": {key: [str(one) for one in names] for key, names in rule.anti_affinity.items()},
        "placement.spread": f"{rule.spread}{' soft' if rule.spread_soft else ''}",
        "placement.why": rule.why,
        "tuning": service.tuning.recipe if service.tuning else "",
        "environment": service.body.get("environment"),
        "command": service.body.get("command"),
    }


def _node(node: Node) -> dict[str, Any]:
    return {
        **_amounts("capacity", node.capacity),
        **_amounts("reserve", node.reserve),
        **{f"ceilings.{key}": f"{float(share.value) * 100:g}%" for key, share in node.ceilings.items()},
        "address": node.address,
        "connection": node.connection,
        "arch": node.arch,
        "gpus": ", ".join(f"{card.index}: {card.model} {units.show_bytes(card.memory)}" for card in node.gpus),
        "labels": dict(node.labels),
        "taints": ", ".join(f"{one.key}={one.value}:{one.effect}" for one in node.taints),
        "threads": node.threads_per_core,
        "core_map": {name: list(cores) for name, cores in node.core_map.items()},
    }


def _volume(volume: Volume) -> dict[str, Any]:
    size = volume.size
    return {
        "real_name": volume.real_name,
        "external": volume.external or "",
        "access": volume.access,
        "on_move": volume.on_move,
        "class": volume.disk_class,
        "size": f"{size.amount} {size.origin}" if size else "",
        "path": volume.is_path or "",
        "said": ", ".join(sorted(volume.said)),
        "why": volume.why,
    }


def _network(network: Network) -> dict[str, Any]:
    return {
        "real_name": network.real_name,
        "external": network.external or "",
        "driver": network.driver,
        "subnets": ", ".join(network.subnets),
        "between_nodes": network.between_nodes,
        "static_addresses": network.static_addresses,
        "why": network.why,
    }


def _amounts(what: str, amounts: Mapping[str, Quantity]) -> dict[str, str]:
    """Return `limits.memory: 3 GiB, compose` for each amount: how much, and who says so."""
    return {
        f"{what}.{resource}": f"{_exact(resource, one)}, {one.source or one.origin}"
        for resource, one in amounts.items()
    }


def _exact(resource: str, amount: Quantity) -> str:
    return f"{amount.amount / 1000:g} CPU" if resource == "cpus" else units.show(resource, amount.amount)


def _placeless(value: Any) -> Any:
    if isinstance(value, Place):
        return None
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _placeless(getattr(value, field.name)) for field in fields(value)}
    if hasattr(value, "items"):
        return {str(key): _placeless(child) for key, child in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_placeless(child) for child in (sorted(value) if isinstance(value, set | frozenset) else value)]
    return value


@pytest.fixture(scope="session")
def bounded() -> Callable[[float, int], AbstractContextManager[None]]:
    """Return what lets a block have so many seconds of CPU, and so many MB of memory beside what there is already."""
    return _bounded


class Late(BaseException):  # nothing on its way up takes it for an error of its own
    """A block has used up its time."""


@contextlib.contextmanager
def _bounded(seconds: float, megabytes: int) -> Iterator[None]:
    # The CPU time of this process alone: a busy machine fails no test.
    def late(*_: object) -> NoReturn:
        raise Late(f"not done after {seconds} s of CPU")

    there = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    limits, handler = resource.getrlimit(resource.RLIMIT_AS), signal.signal(signal.SIGPROF, late)
    resource.setrlimit(resource.RLIMIT_AS, (there + megabytes * 2**20, limits[1]))
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, handler)
        resource.setrlimit(resource.RLIMIT_AS, limits)
