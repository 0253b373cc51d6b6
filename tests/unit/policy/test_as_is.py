"""The fleet as it is, from what was observed: containers with their limits, and the files that bayplan deployed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from bayplan.model import units
from bayplan.model.names import Name
from bayplan.model.quantity import CPUS, MEMORY, PIDS, SWAP
from bayplan.plan.state import mode, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bayplan.model.fleet import Fleet
    from bayplan.model.service import Service
    from bayplan.policy.fleet import Policy

MIB = 2**20
POLICY = """
nodes:
  tower: {cpus: 8, memory: 16GiB, gpus: {model: L4, memory: 24GiB, count: 4}}
  nas: {cpus: 4, memory: 8GiB}
sources: {p: {compose: c/p.yml, node: tower}}
"""
SOURCE = """
services:
  web: {image: web:1, mem_limit: 1g, cpus: 2, environment: {A: source}}
  db: {image: db:1, volumes: ["data:/data"], deploy: {resources: {reservations: {cpus: "0.5", memory: 256m}}}}
  job: {image: job:1}
volumes: {data: {}}
"""


class Fleets:
    """A policy over two nodes, read with what was observed on them."""

    def __init__(self, read: Callable[..., Policy]) -> None:
        self.texts = {"policy.yml": POLICY, "c/p.yml": SOURCE}
        self._read = read

    def policy(self, text: str) -> Fleets:
        self.texts["more.yml"] = text
        return self

    def source(self, text: str) -> Fleets:
        self.texts["c/p.yml"] = text
        return self

    def seen(self, node: str, *services: Mapping[str, Any], **more: Any) -> Fleets:
        facts = {"schema_version": 1, "node": node, "cpus": 8 if node == "tower" else 4, "memory": 2**34}
        listed = [{"project": "p", "number": 1, **one} for one in services]
        self.texts[f"observed/{node}.yml"] = yaml.safe_dump({**facts, "services": listed, **more})
        return self

    def released(
        self, node: str, compose: str, *services: Mapping[str, Any], project: str = "p", **more: Any
    ) -> Fleets:
        self.texts[f"observed/{node}/{project}.yaml"] = f"name: {project}\n{compose}"
        projects = {project: {"root": f"/opt/{project}", "release": "0123456789ab"}}
        return self.seen(node, *services, projects=projects, **more)

    def read(self) -> Policy:
        policy = self._read(self.texts)
        assert [str(one) for one in policy.findings if one.is_error] == []
        return policy

    @property
    def as_is(self) -> Fleet:
        return self.read().as_is


@pytest.fixture
def fleets(read: Callable[..., Policy]) -> Fleets:
    return Fleets(read)


def named(fleet: Fleet, name: str) -> Service:
    return fleet.services[Name.parse(name)]


def amounts(service: Service) -> dict[str, int]:
    limits = {f"limits.{key}": one.amount for key, one in service.limits.items()}
    return limits | {f"requests.{key}": one.amount for key, one in service.requests.items()}


def standing(fleet: Fleet) -> dict[str, str]:
    return {str(copy): node for copy, node in fleet.standing.items()}


class TestLimits:
    """What the containers were given is what holds."""

    def test_those_of_a_container_replace_those_of_its_file(self, fleets: Fleets) -> None:
        seen = {"service": "web", "limits": {"memory": 512 * MIB, "cpus": 250, "pids": 100, "reservation": 64 * MIB}}
        web = named(fleets.seen("tower", seen).as_is, "p/web")
        assert amounts(web) == {
            "limits.memory": 512 * MIB,
            "limits.cpus": 250,
            "limits.pids": 100,
            "requests.memory": 64 * MIB,
        }
        assert web.limits[MEMORY].source == "observed"
        assert web.limits[MEMORY].place.file == "observed/tower.yml"

    def test_one_without_any_is_unbounded(self, fleets: Fleets) -> None:
        assert amounts(named(fleets.seen("tower", {"service": "web", "limits": {}}).as_is, "p/web")) == {}

    def test_facts_that_say_nothing_of_limits_change_nothing(self, fleets: Fleets) -> None:
        assert amounts(named(fleets.seen("tower", {"service": "web"}).as_is, "p/web")) == {
            "limits.memory": 2**30,
            "limits.cpus": 2000,
        }

    def test_what_the_policy_would_have_is_built_from_the_sources(self, fleets: Fleets) -> None:
        policy = fleets.seen("tower", {"service": "web", "limits": {}}).read()
        assert amounts(named(policy.to_be, "p/web")) == {"limits.memory": 2**30, "limits.cpus": 2000}

    @pytest.mark.parametrize(
        ("written", "seen", "swap"),
        [
            ("", {}, None),
            ("", {"swap": 0}, 0),
            ("", {"swap": -1}, None),
            ("memswap_limit: 2g", {}, 2**30),
            ("memswap_limit: 1g", {"swap": 0}, 0),
            ("memswap_limit: 3g", {}, 2**30),
            ("memswap_limit: 3g", {"swap": -1}, None),
            ("memswap_limit: -1", {"swap": -1}, None),
        ],
    )
    def test_swap(self, fleets: Fleets, written: str, seen: dict[str, int], swap: int | None) -> None:
        """Nothing seen is as much again as there is memory, which is Docker's rule; -1 is no bound."""
        fleets.source(f"services:\n  web:\n    image: a\n    mem_limit: 1g\n    {written}")
        web = named(fleets.seen("tower", {"service": "web", "limits": {"memory": 2**30, **seen}}).as_is, "p/web")
        assert (web.limits[SWAP].amount if SWAP in web.limits else None) == swap

    @pytest.mark.parametrize(
        ("written", "seen", "cpuset"),
        [
            ("0-1", "0-1", "0-1"),
            ("0,1", "0-1", "0,1"),
            ("0-7", "", "0-7"),
            ("0-1", "", None),
            ("0-1", "2", "2"),
            (None, "2", "2"),
            (None, "", None),
        ],
    )
    def test_cores(self, fleets: Fleets, written: str | None, seen: str, cpuset: str | None) -> None:
        """Other words for the same cores are no difference, and all cores are the same as none named."""
        line = f"cpuset: '{written}'" if written else ""
        fleets.source(f"services:\n  web:\n    image: a\n    {line}")
        web = named(fleets.seen("tower", {"service": "web", "limits": {"cpuset": seen}}).as_is, "p/web")
        assert settings(web.body).get("cpuset") == cpuset

    @pytest.mark.parametrize(
        ("written", "seen", "told"),
        [
            ("cpu_shares: 512", {}, {}),
            ("cpu_shares: 512", {"shares": 512}, {"cpu_shares": 512}),
            ("cpu_shares: 1024", {}, {"cpu_shares": 1024}),
            ("", {"shares": 300}, {"cpu_shares": 300}),
            ("cgroup_parent: x.slice", {"cgroup_parent": "x.slice"}, {"cgroup_parent": "x.slice"}),
            ("cgroup_parent: x.slice", {}, {}),
            ("", {"cgroup_parent": "y.slice"}, {"cgroup_parent": "y.slice"}),
        ],
    )
    def test_weight_and_slice(self, fleets: Fleets, written: str, seen: dict[str, Any], told: dict[str, Any]) -> None:
        fleets.source(f"services:\n  web:\n    image: a\n    {written}")
        web = named(fleets.seen("tower", {"service": "web", "limits": seen}).as_is, "p/web")
        assert dict(web.body) == {"image": "a", **told}

    def test_of_several_copies_the_one_that_is_not_as_its_file_says_speaks(self, fleets: Fleets) -> None:
        copies = [
            {"service": "web", "number": number, "limits": {"memory": memory, "cpus": 2000}}
            for number, memory in ((1, 2**30), (2, 3 * 2**30))
        ]
        assert amounts(named(fleets.seen("tower", *copies).as_is, "p/web"))["limits.memory"] == 3 * 2**30


class TestReleases:
    """What bayplan has deployed is read from there, not from the sources."""

    FILE = """
services:
  web:
    image: web:2
    environment: {A: deployed, B: "${LATER}"}
    extra_hosts: ["nas:${BAYPLAN_ADDRESS_NAS:?the IP address of nas}"]
    deploy: {resources: {limits: {memory: 2g}, reservations: {memory: 1g}}}
    cpu_shares: 102
"""

    def test_settings_are_those_of_the_deployed_file(self, fleets: Fleets) -> None:
        policy = fleets.released("tower", self.FILE, {"service": "web"}).read()
        before, after = (named(fleet, "p/web") for fleet in (policy.as_is, policy.to_be))
        assert settings(before.body) == {
            "environment.A": "deployed",
            "environment.B": "${LATER}",
            "extra_hosts": ["nas:${BAYPLAN_ADDRESS_NAS:?the IP address of nas}"],
            "image": "web:2",
        }
        assert settings(after.body) == {"environment.A": "source", "image": "web:1"}

    def test_shares_stand_for_a_request(self, fleets: Fleets) -> None:
        web = named(fleets.released("tower", self.FILE, {"service": "web"}).as_is, "p/web")
        assert amounts(web) == {"limits.memory": 2 * 2**30, "requests.memory": 2**30, "requests.cpus": 100}

    @pytest.mark.parametrize(("seen", "cpus"), [({"shares": 102}, 100), ({"shares": 512}, 500), ({}, None)])
    def test_shares_as_they_were_seen(self, fleets: Fleets, seen: dict[str, int], cpus: int | None) -> None:
        limits = {"memory": 2 * 2**30, "reservation": 2**30, **seen}
        web = named(fleets.released("tower", self.FILE, {"service": "web", "limits": limits}).as_is, "p/web")
        assert amounts(web).get("requests.cpus") == cpus

    @pytest.mark.parametrize("own", [102, 256])
    def test_shares_of_the_sources_stand_beside_a_default(self, fleets: Fleets, own: int) -> None:
        """The default is what is charged; the weight is somebody's word and is written as it was."""
        fleets.source(f"services: {{web: {{image: web:2, cpu_shares: {own}}}}}")
        fleets.policy("defaults: {requests: {cpus: 100m}}")
        file = f"services: {{web: {{image: web:2, cpu_shares: {own}}}}}"
        policy = fleets.released("tower", file, {"service": "web", "limits": {"shares": own}}).read()
        assert named(policy.as_is, "p/web").requests[CPUS] == named(policy.to_be, "p/web").requests[CPUS]

    @pytest.mark.parametrize("cpus", ["1m", "2m", "3m", "99m", "100m", "999m", "1", "1.001", "7.5"])
    def test_every_request_comes_back_as_it_was(self, fleets: Fleets, cpus: str) -> None:
        fleets.policy(f"services: {{web: {{requests: {{cpus: {cpus}}}, limits: {{cpus: null}}}}}}")
        policy = fleets.released("tower", self.FILE, {"service": "web"}).read()
        wanted = named(policy.to_be, "p/web").requests[CPUS].amount
        fleets.released("tower", self.FILE.replace("102", str(units.cpu_shares(wanted))), {"service": "web"})
        assert named(fleets.as_is, "p/web").requests[CPUS].amount == wanted

    def test_who_rests_there_rests_today(self, fleets: Fleets) -> None:
        fleets.policy("pools: {bench: {scaling: on-demand, services: [web], quota: {requests: {memory: 1GiB}}}}")
        file = self.FILE + "    x-bayplan: {run: on-demand}\n"
        fleet = fleets.released("tower", file, {"service": "web", "running": False}).as_is
        web = named(fleet, "p/web")
        assert (mode(fleet, web), web.pool, standing(fleet)["p/web"], dict(fleet.idle)) == (
            "on-demand",
            "bench",
            "tower",
            {},
        )

    def test_whose_pool_is_gone_rests_all_the_same(self, fleets: Fleets) -> None:
        file = self.FILE + "    x-bayplan: {run: on-demand}\n"
        policy = fleets.released("tower", file, {"service": "web", "running": False}).read()
        assert mode(policy.as_is, named(policy.as_is, "p/web")) == "on-demand"
        assert mode(policy.to_be, named(policy.to_be, "p/web")) == "always"

    def test_what_no_source_has_any_more_is_still_there(self, fleets: Fleets) -> None:
        policy = fleets.released("tower", self.FILE.replace("web:", "old:", 1), {"service": "old"}).read()
        assert named(policy.as_is, "p/old").image == "web:2"
        assert standing(policy.as_is)["p/old"] == "tower"
        assert Name("p", "old") not in policy.to_be.services
        assert [one.rule for one in policy.findings if one.rule == "inventory/orphan"] == []

    def test_neither_is_a_project_that_is_gone(self, fleets: Fleets) -> None:
        file = "services: {one: {image: one:1, volumes: ['data:/data']}}\nvolumes: {data: {}}\n"
        fleet = fleets.released("nas", file, {"project": "q", "service": "one"}, project="q").as_is
        assert (named(fleet, "q/one").image, standing(fleet)["q/one"]) == ("one:1", "nas")
        assert fleet.projects["q"].root == "/opt/q"
        assert fleet.volumes[Name("q", "data")].real_name == "q_data"

    def test_what_a_release_has_and_nobody_runs_is_not_there(self, fleets: Fleets) -> None:
        assert Name("p", "old") not in fleets.released("tower", self.FILE.replace("web:", "old:", 1)).as_is.services

    def test_a_file_that_is_missing_is_said(self, read: Callable[..., Policy], fleets: Fleets) -> None:
        fleets.released("tower", self.FILE, {"service": "web"})
        del fleets.texts["observed/tower/p.yaml"]
        found = [one for one in read(fleets.texts).findings if one.is_error]
        assert [(one.rule, one.message) for one in found] == [
            ("inventory/unreadable", "has no readable Compose file of p beside it (tower/p.yaml)")
        ]


class TestWhereabouts:
    """Where copies stand, and what does not run."""

    def test_one_that_has_stopped_keeps_its_place_and_does_not_run(self, fleets: Fleets) -> None:
        fleet = fleets.seen("tower", {"service": "web", "running": False}, {"service": "db"}, {"service": "job"}).as_is
        assert standing(fleet)["p/web"] == "tower"
        assert {str(one): why for one, why in fleet.idle.items()} == {"p/web": "it is not running"}

    def test_one_that_nobody_saw_where_it_should_be_is_not_there(self, fleets: Fleets) -> None:
        fleet = fleets.seen("tower", {"service": "web"}).as_is
        assert standing(fleet) == {"p/web": "tower"}
        assert {str(one) for one in fleet.idle} == {"p/db", "p/job"}

    def test_nothing_seen_of_a_project_at_all_means_that_nobody_looked_for_it(self, fleets: Fleets) -> None:
        fleet = fleets.seen("tower", {"project": "other", "service": "web"}).as_is
        assert standing(fleet) == {"p/web": "tower", "p/db": "tower", "p/job": "tower"}

    def test_where_nobody_looked_the_sources_count(self, fleets: Fleets) -> None:
        assert standing(fleets.seen("nas", {"service": "web"}).as_is) == {
            "p/web": "nas",
            "p/db": "tower",
            "p/job": "tower",
        }

    def test_data_says_where_a_service_belongs_that_has_no_container(self, fleets: Fleets) -> None:
        fleets.seen("nas", volumes={"p_data": 2**30})
        fleet = fleets.seen("tower", {"service": "web"}).as_is
        assert (standing(fleet), {str(one) for one in fleet.idle}) == (
            {"p/web": "tower", "p/db": "nas"},
            {"p/db", "p/job"},
        )

    def test_but_not_data_that_each_node_has_its_own(self, fleets: Fleets) -> None:
        fleets.policy("volumes: {p/data: {on_move: own}}").seen("nas", volumes={"p_data": 2**30})
        assert "p/db" not in standing(fleets.seen("tower", {"service": "web"}).as_is)

    def test_one_that_was_moved_away_stands_on_the_node_that_nobody_looked_at(self, fleets: Fleets) -> None:
        file = "services: {web: {image: web:1}}\n"
        assert standing(fleets.released("tower", file, {"service": "web"}).as_is)["p/db"] == "nas"

    def test_a_job_that_is_done_is_as_it_should_be(self, fleets: Fleets) -> None:
        waits = "depends_on: {job: {condition: service_completed_successfully}}"
        fleets.source(f"services:\n  job: {{image: job:1}}\n  web:\n    image: web:1\n    {waits}\n")
        done = {"service": "job", "running": False, "done": True}
        assert dict(fleets.seen("tower", {"service": "web"}, done).as_is.idle) == {}
        assert {str(one) for one in fleets.seen("tower", {"service": "web"}, {**done, "done": False}).as_is.idle} == {
            "p/job"
        }

    def test_copies_on_two_nodes_are_counted_over_both(self, fleets: Fleets) -> None:
        fleets.seen("tower", {"service": "web"}, {"service": "web", "number": 2}).seen("nas", {"service": "web"})
        fleet = fleets.as_is
        web = {str(one): node for one, node in standing(fleet).items() if one.startswith("p/web")}
        assert sorted(web.values()) == ["nas", "tower", "tower"]
        assert (sorted(web), named(fleet, "p/web").replicas.count) == (["p/web", "p/web#2", "p/web#3"], 3)

    def test_copies_with_cards_of_their_own_are_one_service(self, fleets: Fleets) -> None:
        ask = "deploy: {resources: {reservations: {devices: [{driver: nvidia, device_ids: ['%s'], capabilities: [gpu]}]}}}"
        file = f"services:\n  web-1: {{image: a, {ask % 0}}}\n  web-3: {{image: a, {ask % 2}}}\n"
        fleets.policy("services: {web: {gpu: 10GiB, replicas: 3}}")
        seen = [{"service": "web-1"}, {"service": "web-1", "number": 2}, {"service": "web-3"}]
        fleet = fleets.released("tower", file, *seen).as_is
        assert {name for name in fleet.services if name.name.startswith("web")} == {Name("p", "web")}
        assert {str(one): cards for one, cards in fleet.cards.items()} == {
            "p/web": (0,),
            "p/web#2": (0,),
            "p/web#3": (2,),
        }
        assert named(fleet, "p/web").gpu.memory == 10 * 2**30

    def test_what_no_file_has_is_a_note(self, fleets: Fleets) -> None:
        policy = fleets.seen("tower", {"service": "ghost"}, {"service": "dead", "running": False}).read()
        assert [(one.rule, one.subject) for one in policy.findings if one.rule == "inventory/orphan"] == [
            ("inventory/orphan", "p/ghost")
        ]


def test_facts_are_read_as_they_are_written(fleets: Fleets) -> None:
    docker = {"engine": "26.1.5", "compose": "2.26.1", "cgroup": 2, "driver": "systemd", "live_restore": True}
    volumes = {"p_data": 5, "p_bulk": {"size": 7, "device": "/bulk/p"}}
    seen = {"service": "web", "image": "web:1", "limits": {"pids": 5, "cpuset": "0-1"}}
    facts = fleets.seen("tower", seen, docker=docker, volumes=volumes, keys={"docker": "00ff"}).read().observed["tower"]
    assert (facts.docker.engine, facts.docker.compose, facts.docker.cgroup) == ("26.1.5", "2.26.1", 2)
    assert (facts.docker.driver, facts.docker.live_restore) == ("systemd", True)
    assert (dict(facts.volumes), dict(facts.devices)) == (
        {"p_data": 5, "p_bulk": 7},
        {"p_data": "", "p_bulk": "/bulk/p"},
    )
    assert dict(facts.keys) == {"docker": "00ff"}
    (web,) = facts.containers
    assert (web.image, web.running, dict(web.limits or {})) == ("web:1", True, {PIDS: 5, "cpuset": "0-1"})
