"""Looking at nodes: how they are reached, what is written, and what stays when one does not answer."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from bayplan.cli.observe_verb import words
from bayplan.errors import PolicyError, UsageError
from bayplan.model.fleet import Node
from bayplan.policy.fleet import read_machines
from bayplan.rollout.inventory import inventory_of
from bayplan.rollout.observe import observe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOW = datetime(2026, 11, 22, tzinfo=UTC)
GONE = Node("gone", "127.0.0.1")
HOSTS = "bayplan: {hosts: {gone: {ansible_host: 127.0.0.1, ansible_port: 1}}}\n"
FACTS = 'schema_version: 1\nnode: gone\ntaken: "2026-11-20T18:00:00Z"\ncpus: 4\nmemory: 1\n'


class TestInventory:
    """The user's own inventory is used; without one, the addresses of the policy are."""

    def test_from_the_addresses(self, tmp_path: Path) -> None:
        nodes = [Node("a", "a.lan"), Node("here", "here.lan", connection="local")]
        assert inventory_of(nodes, tmp_path) == {
            "bayplan": {
                "hosts": {
                    "a": {"ansible_host": "a.lan"},
                    "here": {"ansible_connection": "local", "ansible_host": "here.lan"},
                }
            }
        }

    def test_from_the_user(self, tmp_path: Path) -> None:
        file = tmp_path / "hosts.yml"
        file.write_text(HOSTS)
        assert inventory_of([GONE], tmp_path) == file
        assert inventory_of([GONE], file) == file


class TestSilence:
    """A node that does not answer: what was known of it stays, and the reason is said."""

    def test_its_facts_stay(self, tmp_path: Path) -> None:
        (tmp_path / "hosts.yml").write_text(HOSTS)
        file = tmp_path / "observed" / "gone.yml"
        (file.parent / "gone").mkdir(parents=True)
        (file.parent / "gone" / "p.yaml").write_text("services: {}\n")
        file.write_text(FACTS)
        found = observe("home", [GONE], tmp_path, NOW)
        assert file.read_text() == FACTS
        assert (file.parent / "gone" / "p.yaml").exists()
        assert (found.written, found.kept) == ({}, {"gone": "2026-11-20T18:00:00Z"})
        assert "Connection refused" in found.silent["gone"]

    def test_one_that_the_inventory_does_not_name_is_told_apart(self, tmp_path: Path) -> None:
        (tmp_path / "hosts.yml").write_text(HOSTS)
        found = observe("home", [GONE, Node("stranger")], tmp_path, NOW)
        assert found.silent["stranger"] == "it is not in the inventory"
        assert found.kept == {}

    def test_the_verb_says_so_and_ends_with_1(self, tmp_path: Path) -> None:
        (tmp_path / "hosts.yml").write_text(HOSTS)
        (tmp_path / "observed").mkdir()
        (tmp_path / "observed" / "gone.yml").write_text(FACTS)
        policy = tmp_path / "home"
        policy.mkdir()
        (policy / "policy.yml").write_text("nodes: {gone: 127.0.0.1}\n")
        done = call("observe", str(policy), "--once", "--inventory", str(tmp_path))
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("gone: ")
        assert done.stderr.endswith("; its facts of 2026-11-20 stay\n")


def call(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bayplan", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "200"})


def test_a_node_that_nobody_knows_is_a_wrong_call(tmp_path: Path) -> None:
    (tmp_path / "policy.yml").write_text("nodes: {a: a.lan, b: b.lan}\n")
    done = call("observe", str(tmp_path), "--limit", "a,c")
    assert (done.returncode, done.stderr) == (64, "bayplan: no node c in this policy; it has a, b\n")


class TestMachines:
    """Which nodes are looked at: also those of a policy that is not right yet."""

    def names(self, folder: Callable[..., Path], text: str, env: str | None = None) -> list[str]:
        return [node.name for node in read_machines(folder(text), env)]

    def test_all_of_them(self, folder: Callable[..., Path]) -> None:
        text = "nodes: {'b[1:2]': '{name}.lan', a: {cpus: 1}}\nsources: {p: missing.yml}\nservices: {nobody: {tier: x}}"
        assert self.names(folder, text) == ["a", "b1", "b2"]

    @pytest.mark.parametrize(("env", "names"), [(None, ["a", "b"]), ("live", ["b"]), ("all", ["a", "b"])])
    def test_those_of_an_environment(self, folder: Callable[..., Path], env: str | None, names: list[str]) -> None:
        assert self.names(folder, "nodes: {a: a, b: b}\nenvironments: {live: {nodes: [b]}, all: {}}", env) == names

    def test_an_environment_that_is_not_there(self, folder: Callable[..., Path]) -> None:
        with pytest.raises(UsageError, match="no environment 'x'"):
            self.names(folder, "nodes: {a: a}\nenvironments: {live: {}}", "x")

    @pytest.mark.parametrize("text", ["services: {}", "nodes: {}", "nodes: ["])
    def test_a_policy_without_any(self, folder: Callable[..., Path], text: str) -> None:
        with pytest.raises(PolicyError, match="has no nodes"):
            self.names(folder, text)


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        ({}, "0 services, 0 volumes, no release"),
        (
            {
                "services": [{"project": "p", "service": "web", "running": number < 2} for number in (1, 2)],
                "volumes": {"p_data": 2**30, "p_bulk": {"size": 2**29, "device": "/bulk"}},
                "projects": {"p": {"release": "15c3720b7cee"}, "q": {"release": "15c3720b7cee"}},
            },
            "1 service, 1 of 2 containers not running, 2 volumes of 1.5 GiB, release 15c3720b7cee",
        ),
    ],
)
def test_what_was_found_is_told_on_one_line(facts: dict[str, Any], line: str) -> None:
    assert words({"services": [], "volumes": {}, "projects": {}, **facts}) == line
