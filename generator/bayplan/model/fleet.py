"""The fleet: nodes, tiers, pools, projects, and all services on them. A value; AS-IS and TO-BE have this one shape."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bayplan.finding import NOWHERE, Place
from bayplan.model.names import Instance, Name
from bayplan.model.quantity import DISK

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction

    from bayplan.model.edge import Edge
    from bayplan.model.quantity import Quantity
    from bayplan.model.service import Service


@dataclass(frozen=True, slots=True)
class Share:
    """A share of a capacity, exact, with the place it is written at: 85 % is `Fraction(17, 20)`."""

    value: Fraction
    place: Place = NOWHERE

    def of(self, amount: int) -> int:
        """Return the whole units of `amount` that this share allows, rounded down."""
        return int(self.value * amount)


@dataclass(frozen=True, slots=True)
class Gpu:
    """A card: its index on the node, model, VRAM in bytes, MIG slices if it is cut, and free labels."""

    index: int
    model: str
    memory: int
    mig: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    uuid: str = ""


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk class on a node: where it is mounted and its size in bytes (0 if unknown)."""

    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Taint:
    """A mark that keeps services away unless they tolerate it."""

    key: str
    value: str = ""
    effect: str = "NoSchedule"


@dataclass(frozen=True, slots=True)
class Node:
    """A machine.

    Attributes:
        name, address, connection, place: who it is and how it is reached (`ssh` or `local`).
        arch: `amd64`, `arm64`, …, or empty if unknown.
        capacity: resource → quantity: cpus (milli), memory (bytes), `disk:<class>` (bytes), own countables.
        reserve: resource → quantity kept for what is not ours; `gpu_memory` is per card, on the first card.
        ceilings: resource → share of the capacity that charges and reserve may fill together.
        gpus, disks, labels, taints: what it has.
        threads_per_core: logical CPUs of a physical core.
        core_map: core set → cores; the set `os` is kept free.
        core_places: core set → where its cores are written.
    """

    name: str
    address: str = ""
    connection: str = "ssh"
    place: Place = NOWHERE
    arch: str = ""
    capacity: Mapping[str, Quantity] = field(default_factory=dict)
    reserve: Mapping[str, Quantity] = field(default_factory=dict)
    ceilings: Mapping[str, Share] = field(default_factory=dict)
    gpus: tuple[Gpu, ...] = ()
    disks: Mapping[str, Disk] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    threads_per_core: int = 1
    core_map: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    why: str = ""
    core_places: Mapping[str, Place] = field(default_factory=dict, compare=False, repr=False)

    def has(self, resource: str) -> int:
        """Return the capacity of a resource, 0 if the node has none of it."""
        quantity = self.capacity.get(resource)
        return quantity.amount if quantity else 0

    def reserved(self, resource: str) -> int:
        """Return the reserve of a resource, 0 if there is none."""
        quantity = self.reserve.get(resource)
        return quantity.amount if quantity else 0

    def line(self, resource: str) -> int:
        """Return how far charges and reserve together may go: the ceiling's share of the capacity."""
        share = self.ceilings.get(resource)
        return share.of(self.has(resource)) if share else self.has(resource)

    def room(self, resource: str) -> int:
        """Return what is left for services under the line, not below 0."""
        return max(0, self.line(resource) - self.reserved(resource))

    def disk_of(self, volume: Volume) -> str:
        """Return the resource that a volume takes space of here: the disk of its class, or else the first one."""
        return f"{DISK}{volume.disk_class or self.first_disk}"

    @property
    def first_disk(self) -> str:
        """Return the class that volumes without one are of here, empty if the node names no disks."""
        return next(iter(self.disks), "")


@dataclass(frozen=True, slots=True)
class Tier:
    """How important its services are; `overcommit` maps a resource to the factor its limits are divided by."""

    name: str
    priority: int = 500
    qos: str = ""
    cores: str = ""
    preemptible: bool = False
    overcommit: Mapping[str, Fraction] = field(default_factory=dict)
    oom_score_adj: int | None = None
    place: Place = NOWHERE
    why: str = ""
    cores_place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Pool:
    """How much its services get together.

    Attributes:
        scaling: `fixed`, `auto`, `on-demand` or `burst`.
        quota: `requests` or `limits` → resource → quantity: the sum over all members.
        per_node: whether the quota holds for each node instead of the fleet.
        concurrent: how many members run at once; 0 means no bound.
    """

    name: str
    scaling: str = "fixed"
    quota: Mapping[str, Mapping[str, Quantity]] = field(default_factory=dict)
    per_node: bool = False
    concurrent: int = 0
    cores: str = ""
    stop_when_idle: str = ""
    place: Place = NOWHERE
    why: str = ""
    cores_place: Place = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Volume:
    """A named volume, or a bind-mounted path that the policy speaks of.

    Attributes:
        name: `project/key`; for a path, `project/path`.
        real_name: what Docker calls it (`project_key` unless it has a name of its own).
        access: `single`, `shared`, `network` or `per-replica`.
        on_move: `carry`, `own` or `never`.
        disk_class: class of disk, or empty.
        size: bytes, or None if unknown.
    """

    name: Name
    real_name: str = ""
    external: bool = False
    access: str = "single"
    on_move: str = "carry"
    disk_class: str = ""
    size: Quantity | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    place: Place = NOWHERE
    why: str = ""
    is_path: bool = False
    said: frozenset[str] = frozenset()
    """Which of access and on_move the policy itself states."""
    exists: Mapping[str, str] = field(default_factory=dict)
    """Node → the folder that it is bound to there, empty for Docker's own, where it exists today."""


@dataclass(frozen=True, slots=True)
class Ipam:
    """One entry of a network's `ipam: config:`, as it is written; empty where nothing is said.

    Attributes:
        subnet, gateway, ip_range: the texts.
        places: key → where its value is written.
    """

    subnet: str
    gateway: str = ""
    ip_range: str = ""
    places: Mapping[str, Place] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Network:
    """A network of a project and what becomes of it when its services stand on two nodes."""

    name: Name
    real_name: str = ""
    external: bool = False
    driver: str = ""
    subnets: tuple[str, ...] = ()
    between_nodes: str = "published"
    static_addresses: str = "keep"
    body: Mapping[str, Any] = field(default_factory=dict)
    place: Place = NOWHERE
    why: str = ""
    ipam: tuple[Ipam, ...] = field(default=(), compare=False, repr=False)
    """What it says of its subnets, which knows where; `body` has the same for comparing."""
    places: Mapping[str, Place] = field(default_factory=dict, compare=False, repr=False)
    """Key → where a Compose file says it, while `place` may be a line of the policy; the empty key is the network."""

    def written(self, key: str = "") -> Place:
        """Return where a Compose file says a key of it, or else where it defines it."""
        return self.places.get(key) or self.places.get("", NOWHERE)


@dataclass(frozen=True, slots=True)
class Project:
    """A Compose project: where its files stand in the policy, and where it runs today."""

    name: str
    node: str = ""
    root: str = ""
    files: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    secrets: Mapping[str, Any] = field(default_factory=dict)
    configs: Mapping[str, Any] = field(default_factory=dict)
    place: Place = NOWHERE


@dataclass(frozen=True, slots=True)
class Fleet:
    """All of it, mappings sorted by name.

    Attributes:
        standing: copy → the node on which it is today, if anywhere.
        idle: copy → why it does not run today, where it should.
        cards: copy → the cards that the file names which it was deployed from.
    """

    name: str
    environment: str
    nodes: Mapping[str, Node]
    services: Mapping[Name, Service]
    tiers: Mapping[str, Tier] = field(default_factory=dict)
    pools: Mapping[str, Pool] = field(default_factory=dict)
    volumes: Mapping[Name, Volume] = field(default_factory=dict)
    networks: Mapping[Name, Network] = field(default_factory=dict)
    projects: Mapping[str, Project] = field(default_factory=dict)
    standing: Mapping[Instance, str] = field(default_factory=dict)
    idle: Mapping[Instance, str] = field(default_factory=dict)
    cards: Mapping[Instance, tuple[int, ...]] = field(default_factory=dict)
    targets: tuple[str, ...] = ("compose",)
    edges: Mapping[str, Edge] = field(default_factory=dict)

    def active(self) -> tuple[Service, ...]:
        """Return the services that run, by name; those of unlisted profiles are left out."""
        return tuple(service for _, service in sorted(self.services.items()) if service.active)

    def instances(self) -> tuple[Instance, ...]:
        """Return every copy that is to be placed, by name and number."""
        return tuple(
            Instance(service.name, number)
            for service in self.active()
            for number in range(1, service.replicas.count + 1)
        )

    def tier_of(self, service: Service) -> Tier:
        """Return the tier of a service; the built-in `standard` if nothing else is said."""
        return self.tiers.get(service.tier) or Tier(service.tier)

    def members(self, pool: str) -> tuple[Service, ...]:
        """Return the active services of a pool, by name."""
        return tuple(service for service in self.active() if service.pool == pool)
