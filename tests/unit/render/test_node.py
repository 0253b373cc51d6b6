"""What a node gets beside its Compose files: slices for pools that the kernel holds, options for Docker, folders."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bayplan.model.names import Instance, Name
from bayplan.model.placement import Placement, Seat
from bayplan.render.node import needs, node_files, node_findings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bayplan.model.fleet import Fleet

    from .conftest import Render

NODES = "nodes: {a: {cpus: 16, memory: 64GiB}, b: {cpus: 4, memory: 16GiB}}\n"
POOLS = """
services:
  x: {compose: {image: "x:1"}, requests: {cpus: 1, memory: 1GiB}}
  y: {compose: {image: "y:1"}, requests: {cpus: 500m, memory: 2GiB}, why: y is new}
  z: {compose: {image: "z:1"}, requests: {cpus: 1}, limits: {memory: 1GiB}}
pools:
  to-day: {scaling: on-demand, services: [x, y], quota: {requests: {memory: 2.5GiB, cpus: 1, licences: 1}}, why: one at once}
"""
XY_ON_A = {"shop/x": "a", "shop/y": "a", "shop/z": "b"}


def placed(seats: Mapping[str, str]) -> Placement:
    return Placement({Instance(Name.parse(name)): Seat(node) for name, node in seats.items()})


@pytest.fixture
def files(read: Any) -> Callable[..., dict[str, str]]:
    def make(text: str, seats: Mapping[str, str], env: str | None = None) -> dict[str, str]:
        return node_files(fleet(read, text, env), placed(seats), "policies/shop")

    return make


def fleet(read: Any, text: str, env: str | None = None) -> Fleet:
    policy = read(NODES.replace("cpus: 16,", "cpus: 16, resources: {licences: 1},") + text, env)
    assert not [one for one in policy.findings if one.is_error], policy.findings
    found: Fleet = policy.to_be
    return found


def properties(text: str) -> dict[str, str]:
    return dict(line.split("=") for line in text.split("[Slice]\n")[1].splitlines() if not line.startswith("#"))


def test_an_on_demand_pool_is_held_to_what_it_is_charged(files: Callable[..., dict[str, str]]) -> None:
    made = files(POOLS, XY_ON_A)
    assert sorted(made) == ["a/daemon.json", "a/units/bayplan-to_day.slice", "a/units/bayplan.slice", "b/daemon.json"]
    assert made["a/units/bayplan-to_day.slice"] == (
        "# Made by `bayplan compile policies/shop` from the policy `policies/shop`; edit that, not this file.\n"
        "[Unit]\n"
        "Description=Pool to-day of the fleet shop\n"
        "\n"
        "[Slice]\n"
        "# 1 CPU charged to the pool on this node\n"
        "CPUWeight=100\n"
        "# pools.to-day.quota.requests.memory: one at once\n"
        "MemoryMax=2560M\n"
    )
    # 1 of 16 CPUs: as system.slice has 100 for the other 15, the pools have 100 / 15.
    assert properties(made["a/units/bayplan.slice"]) == {"CPUWeight": "7"}


def test_members_join_the_slice_and_say_how_they_run(render: Render) -> None:
    made = render(NODES.replace("cpus: 16,", "cpus: 16, resources: {licences: 1},") + POOLS, XY_ON_A)
    assert "cgroup_parent: bayplan-to_day.slice  # pool to-day: one at once" in made.comments("a/shop")
    for name in "xy":
        found = made.service(f"a/shop/{name}")
        assert (found["cgroup_parent"], found["x-bayplan"]) == ("bayplan-to_day.slice", {"run": "on-demand"})
    assert not {"cgroup_parent", "x-bayplan"} & made.service("b/shop/z").keys()


@pytest.mark.parametrize(
    ("pool", "wanted"),
    [
        ("quota: {requests: {memory: 4GiB, cpus: 2}}", None),  # charged one by one: each limit holds by itself
        ("scaling: auto", None),
        ("scaling: on-demand, concurrent: 1", None),
        ("quota: {limits: {cpus: 2.5}}", {"CPUWeight": "150", "CPUQuota": "250%"}),
        ("quota: {limits: {memory: 4GiB, pids: 99}}", {"CPUWeight": "150", "MemoryMax": "4G", "TasksMax": "99"}),
        ("quota: {limits: {memory: 4GiB}, requests: {memory: 3GiB}}", {"CPUWeight": "150", "MemoryMax": "4G"}),
        ("scaling: on-demand, quota: {limits: {memory: 4GiB}, requests: {memory: 3GiB}}",
         {"CPUWeight": "150", "MemoryMax": "4G"}),
        ("scaling: on-demand, quota: {requests: {pids: 7, cpus: 1.2}}", {"CPUWeight": "120", "TasksMax": "7"}),
    ],
)  # fmt: skip
def test_a_pool_has_a_slice_where_there_is_something_to_hold(
    files: Callable[..., dict[str, str]], pool: str, wanted: dict[str, str] | None
) -> None:
    text = POOLS[: POOLS.index("pools:")] + f"pools: {{p: {{services: [x, y], {pool}}}}}\n"
    made = files(text, XY_ON_A)
    found = made.get("a/units/bayplan-p.slice")
    assert (None if found is None else properties(found)) == wanted
    assert ("a/units/bayplan.slice" in made) is (wanted is not None)


def test_an_environment_shrinks_what_is_held(files: Callable[..., dict[str, str]]) -> None:
    text = POOLS + "environments: {small: {multiply: {memory: 0.5}}, large: {}}\n"
    found = files(text, XY_ON_A, "small")["a/units/bayplan-to_day.slice"]
    assert "# pools.to-day.quota.requests.memory, environment small x 0.5: one at once\nMemoryMax=1280M\n" in found


def test_a_node_without_members_has_no_slice(files: Callable[..., dict[str, str]]) -> None:
    made = files(POOLS, XY_ON_A | {"shop/y": "b"})
    assert properties(made["b/units/bayplan-to_day.slice"]) == {"CPUWeight": "50", "MemoryMax": "2560M"}
    assert not [path for path in files(POOLS, dict.fromkeys(XY_ON_A, "b")) if path.startswith("a/")]


def test_pools_that_ask_for_all_weigh_most(files: Callable[..., dict[str, str]]) -> None:
    text = POOLS.replace("requests: {cpus: 1, memory", "requests: {cpus: 16, memory").replace(
        "cpus: 1, licences", "licences"
    )
    assert properties(files(text, XY_ON_A)["a/units/bayplan.slice"]) == {"CPUWeight": "10000"}


def test_two_pools_cannot_have_one_slice(read: Any, said: Callable[..., list[str]]) -> None:
    more = "  to_day: {services: [z], quota: {limits: {memory: 4GiB}}}\n"
    found = node_findings(fleet(read, POOLS + more), placed(XY_ON_A))
    assert said(found) == [
        "policy.yml:9:3 error pools/same-slice pools.to_day: its slice would be bayplan-to_day.slice, which is that of pool to-day"
    ]


def test_a_service_with_a_cgroup_of_its_own_is_named(read: Any, said: Callable[..., list[str]], render: Render) -> None:
    text = POOLS.replace('{image: "x:1"}', '{image: "x:1", cgroup_parent: mine.slice}')
    found = node_findings(fleet(read, text), placed(XY_ON_A))
    assert said(found) == [
        "policy.yml:4:3 warning pools/outside-slice shop/x: has a cgroup_parent of its own, so nothing holds it to the quota of pool to-day"
    ]
    made = render(NODES.replace("cpus: 16,", "cpus: 16, resources: {licences: 1},") + text, XY_ON_A)
    assert made.service("a/shop/x")["cgroup_parent"] == "mine.slice"


def test_docker_is_told_what_the_policy_needs(files: Callable[..., dict[str, str]], read: Any) -> None:
    made = files(POOLS, XY_ON_A)
    plain = {"live-restore": True, "log-driver": "json-file", "log-opts": {"max-file": "3", "max-size": "10m"}}
    assert json.loads(made["b/daemon.json"]) == plain
    assert json.loads(made["a/daemon.json"]) == {**plain, "exec-opts": ["native.cgroupdriver=systemd"]}
    swarm = files(POOLS + "targets: [swarm]\n", XY_ON_A)
    assert "live-restore" not in json.loads(swarm["a/daemon.json"])
    needed = needs(fleet(read, POOLS), placed(XY_ON_A))
    assert {node: one.cgroup_driver for node, one in needed.items()} == {"a": "systemd", "b": ""}


# --- cores ---

CORES = """
nodes:
  a: {cpus: {cores: 8, threads_per_core: 2}, memory: 64GiB, core_map: {os: "0,8", db: "1-2"}}
services:
  alone: {compose: {image: "x:1"}, cores: exclusive, limits: {cpus: 3}}
  beside: {compose: {image: "x:1"}, tier: quick, requests: {cpus: 100m}, replicas: 2}
  named: {compose: {image: "x:1"}, cores: db}
  other: {compose: {image: "x:1"}}
  said: {compose: {image: "x:1", cpuset: "5"}}
tiers: {quick: {cores: exclusive}}
"""
ON_A = {f"shop/{name}": "a" for name in ("alone", "beside", "beside#2", "named", "other", "said")}


def test_exclusive_cores_are_whole_and_nobody_elses(render: Render) -> None:
    """Core 0 is the system's, 1 and 2 are a set, 5 is named; 3 CPUs are two cores of two threads; others have the rest."""
    made = render(CORES, ON_A)
    assert {
        name: made.service(f"a/shop/{name}").get("cpuset") for name in ("alone", "beside", "named", "other", "said")
    } == {
        "alone": "3-4,11-12",
        "beside": "6-7,14-15",
        "named": "1-2",
        "other": "1-2,5,9-10,13",
        "said": "5",
    }
    assert 'cpuset: "3-4,11-12"  # cores: exclusive' in made.comments("a/shop")
    assert 'cpuset: "1-2,5,9-10,13"  # cores: shared, all but those of others' in made.comments("a/shop")


def test_cores_of_ones_own_are_over_the_cpuset_of_the_file(render: Render) -> None:
    text = """
nodes: {a: {cpus: 4, memory: 16GiB}}
services:
  alone: {compose: {image: "x:1", cpuset: "2-3"}, cores: exclusive, limits: {cpus: 1}}
  other: {compose: {image: "x:1", cpuset: "2-3"}, limits: {cpus: 1}}
"""
    made = render(text, {"shop/alone": "a", "shop/other": "a"})
    assert made.service("a/shop/alone")["cpuset"] == "0"
    assert made.service("a/shop/other")["cpuset"] == "2-3"


def test_where_nobody_has_cores_of_his_own_nobody_is_confined(render: Render) -> None:
    made = render(CORES.replace("cores: exclusive", "cores: shared"), ON_A)
    assert "cpuset" not in made.service("a/shop/alone")
    assert "cpuset" not in made.service("a/shop/other")


def test_too_few_cores_are_named(read: Any, said: Callable[..., list[str]]) -> None:
    text = CORES.replace("limits: {cpus: 3}", "limits: {cpus: 12}")
    policy = read(text)
    seats = {Instance(Name("shop", name.partition("#")[0]), int(name.partition("#")[2] or 1)): Seat("a")
             for name in ("alone", "beside", "beside#2", "other")}  # fmt: skip
    assert said(node_findings(policy.to_be, Placement(seats))) == [
        "policy.yml:5:69 error pinning/too-few-cores shop/alone: asks for 6 cores of its own on a; fewer are in no set and nobody's own"
    ]
    whole = text.replace("limits: {cpus: 12}", "limits: {cpus: 13}").replace(', core_map: {os: "0,8", db: "1-2"}', "")
    crowded = whole.replace('  named: {compose: {image: "x:1"}, cores: db}\n', "").replace("cpus: 100m", "cpus: 1")
    (found,) = said(node_findings(read(crowded.replace("cpus: 13", "cpus: 12")).to_be, Placement(seats)))
    assert found.endswith(
        "pinning/no-core nodes.a: has no core left for shop/other: each is the system's or somebody's own"
    )


# --- disks ---

DISKS = """
nodes:
  a: {cpus: 8, memory: 64GiB, disks: {ssd: {path: /data, size: 1TB}, hdd: {size: 4TB}}}
  b: {cpus: 8, memory: 64GiB, disks: {ssd: {path: /fast/, size: 1TB}}}
sources: {app: {compose: c/app.yml, node: a}}
services: {db: {placement: b}, new: {compose: {image: "x:1", volumes: ["fresh:/x"]}}}
volumes:
  app/*: {class: ssd, why: many small writes}
  shop/fresh: {class: ssd}
"""
APP = """
services:
  db: {image: "x:1", volumes: ["data:/data", "logs:/logs", "mine:/mine", "other:/other"]}
  web: {image: "x:1", volumes: ["logs:/logs"]}
volumes: {data: , logs: , mine: {driver_opts: {type: nfs, device: ":/x"}}, other: {external: true}}
"""
SEATS = {"app/db": "b", "app/web": "a", "shop/new": "a"}


def test_a_volume_that_is_new_on_a_node_lies_on_the_disk_of_its_class(render: Render) -> None:
    made = render({"policy.yml": DISKS, "c/app.yml": APP}, SEATS)
    volumes = made.data("b/app")["volumes"]
    assert volumes["data"] == {
        "driver": "local", "driver_opts": {"device": "/fast/bayplan/shop/app_data", "o": "bind", "type": "none"},
    }  # fmt: skip
    assert volumes["mine"] == {"driver_opts": {"device": ":/x", "type": "nfs"}}
    assert volumes["other"] == {"external": True}
    assert "device: /fast/bayplan/shop/app_data  # class ssd: many small writes" in made.comments("b/app")
    assert made.data("a/shop")["volumes"]["fresh"]["driver_opts"]["device"] == "/data/bayplan/shop/shop_fresh"


def test_a_volume_that_the_file_expects_may_be_made_here(render: Render) -> None:
    made = render({"policy.yml": f"{DISKS}  app/other: {{external: false}}\n", "c/app.yml": APP}, SEATS)
    device = {"device": "/fast/bayplan/shop/other", "o": "bind", "type": "none"}
    assert made.data("b/app")["volumes"]["other"] == {"name": "other", "driver": "local", "driver_opts": device}


def test_a_volume_that_exists_stays_where_it_is(render: Render, said: Callable[..., list[str]]) -> None:
    """Another definition of it would be a volume without its data."""
    made = render({"policy.yml": DISKS, "c/app.yml": APP}, SEATS)
    assert made.data("a/app")["volumes"] == {"logs": {}}
    placement = placed(SEATS)
    assert said(node_findings(made.policy.to_be, placement)) == [
        (
            "policy.yml:8:3 note volumes/class-elsewhere nodes.a: keeps app/logs where they are today: "
            "what exists is not made anew on the disk of its class"
        )
    ]
    found = {node: one.folders for node, one in needs(made.policy.to_be, placement).items()}
    assert found == {
        "a": ("/data/bayplan/shop/shop_fresh",),
        "b": ("/fast/bayplan/shop/app_data", "/fast/bayplan/shop/app_logs"),
    }


FACTS = """
schema_version: 1
node: a
cpus: 8
memory: 68719476736
volumes: {app_logs: {size: 5, device: DEVICE}, other: 7}
"""


@pytest.mark.parametrize(
    ("device", "wanted", "notes"),
    [
        ("/data/bayplan/shop/app_logs", "/data/bayplan/shop/app_logs", 0),  # ours, of an earlier plan
        ("/data/logs", None, 0),  # on that disk already, in a folder of somebody's own
        ("/elsewhere", None, 1),
        ('""', None, 1),
    ],
)
def test_what_was_observed_decides(render: Render, device: str, wanted: str | None, notes: int) -> None:
    facts = FACTS.replace("DEVICE", device)
    made = render({"policy.yml": DISKS, "c/app.yml": APP, "observed/a.yml": facts}, SEATS)
    assert made.data("a/app")["volumes"]["logs"].get("driver_opts", {}).get("device") == wanted
    assert len(node_findings(made.policy.to_be, placed(SEATS))) == notes


def test_on_an_observed_node_a_volume_that_was_not_seen_is_new(render: Render) -> None:
    facts = FACTS.replace("app_logs: {size: 5, device: DEVICE}, ", "")
    made = render({"policy.yml": DISKS, "c/app.yml": APP, "observed/a.yml": facts}, SEATS)
    assert made.data("a/app")["volumes"]["logs"]["driver_opts"]["device"] == "/data/bayplan/shop/app_logs"
