"""Small fleets from a few words, so that a case is read at a glance. GiB and CPUs; `stands` is today, `at` is fixed."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from bayplan.finding import Place
from bayplan.model.fleet import Disk, Fleet, Gpu, Network, Node, Pool, Share, Taint, Tier, Volume
from bayplan.model.names import Instance, Name
from bayplan.model.quantity import Quantity
from bayplan.model.service import Attachment, Dependency, GpuAsk, Mount, PlacementRule, Port, Replicas, Service
from bayplan.model.units import GIB

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Words = Mapping[str, Any]

PROJECT = "p"
UNITS = {"cpus": 1000, "memory": GIB, "gpu_memory": GIB}


def amount(resource: str, value: float, line: int = 0) -> Quantity:
    """Return an amount in the unit of its resource, written on some line."""
    factor = GIB if resource.startswith("disk:") else UNITS.get(resource, 1)
    return Quantity(int(value * factor), place=Place("policy.yml", line))


def amounts(words: Words) -> dict[str, Quantity]:
    """Return resource → quantity."""
    return {key: amount(key, value) for key, value in words.items()}


def name(text: str) -> Name:
    """Return `p/x` for `x`; a path in front of which a project stands keeps it."""
    return Name("", text) if text.startswith("/") else Name.parse(text) if "/" in text[1:] else Name(PROJECT, text)


def node(key: str, words: Words) -> Node:
    """Return a node; `gpus` are GiB of VRAM, `mig` cuts all of them."""
    mig = tuple(words.get("mig", ()))
    known = {one: value for one, value in words.items() if one in {"cpus", "memory", "agents"}}
    disks = {f"disk:{one}": size for one, size in words.get("disks", {}).items()}
    return Node(
        key,
        arch=words.get("arch", ""),
        place=Place("policy.yml", 1),
        capacity=amounts({"cpus": 8, "memory": 16, **known, **disks}),
        reserve=amounts(words.get("reserve", {})),
        ceilings={one: Share(Fraction(share, 100)) for one, share in words.get("ceilings", {}).items()},
        gpus=tuple(Gpu(index, "card", int(size * GIB), mig) for index, size in enumerate(words.get("gpus", ()))),
        disks={one: Disk(f"/{one}", int(size * GIB)) for one, size in words.get("disks", {}).items()},
        labels=words.get("labels", {}),
        taints=tuple(Taint(one) for one in words.get("taints", ())),
        threads_per_core=words.get("threads", 1),
    )


def ask(words: Any) -> GpuAsk | None:
    """Return what is asked of cards: a number is GiB, a text a slice, a mapping the fields themselves."""
    if words is None:
        return None
    place = Place("policy.yml", 90)
    if isinstance(words, str):
        return GpuAsk(profile=words, place=place)
    if isinstance(words, dict):
        fields: dict[str, Any] = {key: int(value * GIB) if key == "memory" else value for key, value in words.items()}
        return GpuAsk(**fields, place=place)
    return GpuAsk(memory=int(words * GIB), place=place)


def ports(words: list[Any]) -> tuple[Port, ...]:
    """Return ports: 80 is 80:80, "8080:80" as Compose has it."""
    pairs = [str(one).split(":") if ":" in str(one) else [str(one)] * 2 for one in words]
    return tuple(Port(int(to), int(of), place=Place("c.yml", 7)) for of, to in pairs)


def rule(words: Words, line: int) -> PlacementRule:
    """Return a placement rule."""
    near = {one: tuple(map(name, some)) for one, some in words.get("near", {}).items()}
    apart = {one: tuple(map(name, some)) for one, some in words.get("apart", {}).items()}
    return PlacementRule(
        node=words.get("at", ""),
        nodes=tuple(words.get("nodes", ())),
        require={key: tuple(some) for key, some in words.get("require", {}).items()},
        prefer={key: tuple(some) for key, some in words.get("prefer", {}).items()},
        tolerations=tuple(words.get("tolerates", ())),
        affinity=near,
        anti_affinity=apart,
        spread=words.get("spread", ""),
        spread_soft=words.get("soft", False),
        place=Place("policy.yml", line),
    )


def service(key: str, words: Words, line: int) -> Service:
    """Return a service of project p, or of the project in its key."""
    binds = [Mount("bind", path, path, place=Place("c.yml", 5)) for path in words.get("binds", ())]
    volumes = [Mount("volume", one, f"/{one}", place=Place("c.yml", 6)) for one in words.get("volumes", ())]
    networks = words.get("networks", {})
    copies = words.get("copies", 1)
    return Service(
        name(key),
        place=Place("c.yml", line),
        platforms=tuple(words.get("platforms", ())),
        requests={one: amount(one, value, line) for one, value in words.get("requests", {"cpus": 0.1}).items()},
        limits={one: amount(one, words[one], line) for one in ("memory", "cpus") if one in words},
        replicas=Replicas(copies, copies, words.get("most", copies)),
        tier=words.get("tier", "standard"),
        pool=words.get("pool", ""),
        gpu=ask(words.get("gpu")),
        ports=ports(words.get("ports", [])),
        mounts=(*binds, *volumes),
        networks=tuple(Attachment(one, ipv4=networks[one] or "", place=Place("c.yml", 8)) for one in networks),
        depends_on=tuple(Dependency(one, place=Place("c.yml", 9)) for one in words.get("needs", ())),
        container_name=words.get("container_name", ""),
        network_mode=words.get("network_mode", ""),
        placement=rule(words, line),
        cores=words.get("cores", "shared"),
        remap_ports=words.get("remap", {}),
        body={"volumes_from": words.get("volumes_from", [])},
    )


def volume(key: str, words: Words) -> Volume:
    """Return a volume; one whose name is a path is a bind mount that the policy speaks of."""
    size = words.get("size")
    found = name(key)
    return Volume(
        found,
        access=words.get("access", "single"),
        on_move=words.get("on_move", "carry"),
        disk_class=words.get("class", ""),
        size=amount("memory", size) if size else None,
        place=Place("policy.yml", 70),
        is_path=found.name.startswith((".", "/")),
    )


def pool(key: str, words: Words) -> Pool:
    """Return a pool; `quota` is of requests."""
    quota = {"requests": amounts(words["quota"])} if "quota" in words else {}
    return Pool(key, words.get("scaling", "fixed"), quota, words.get("per_node", False), words.get("concurrent", 0))


def standing(services: Words) -> dict[Instance, str]:
    """Return where copies stand today: `stands: a`, or a list with a node for each copy."""
    found = {}
    for key, words in services.items():
        nodes = words.get("stands", [])
        for number, where in enumerate([nodes] if isinstance(nodes, str) else nodes, start=1):
            found[Instance(name(key), number)] = where
    return found


def fleet(words: Words) -> Fleet:
    """Return a fleet from its words."""
    services = {key: words_of or {} for key, words_of in words.get("services", {}).items()}
    made = [service(key, one, line) for line, (key, one) in enumerate(services.items(), start=20)]
    volumes = [volume(key, one) for key, one in words.get("volumes", {}).items()]
    networks = [
        Network(name(key), place=Place("policy.yml", 80), **one) for key, one in words.get("networks", {}).items()
    ]
    tiers = {key: Tier(key, **one) for key, one in words.get("tiers", {}).items()}
    return Fleet(
        "f",
        "default",
        {key: node(key, one or {}) for key, one in words.get("nodes", {}).items()},
        {one.name: one for one in made},
        tiers,
        {key: pool(key, one) for key, one in words.get("pools", {}).items()},
        {one.name: one for one in volumes},
        {one.name: one for one in networks},
        standing=standing(services),
    )


@pytest.fixture(scope="session")
def fleet_of() -> Callable[[Words], Fleet]:
    """Return what makes a fleet from a few words."""
    return fleet
