"""A service as everything after the borders sees it: one form, whatever it was written as."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bayplan.finding import NOWHERE, Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.model.names import Name
    from bayplan.model.quantity import Quantity


MOST_COPIES = 50_000
"""The largest number of copies of one service, and of all services: each is counted, placed and named."""
MOST_SCALED = 100_000
"""The largest number of copies that a service may ever have; they are only reckoned with."""


@dataclass(frozen=True, slots=True)
class Port:
    """A published port.

    Attributes:
        target: port in the container.
        published: port on the host, or None where Docker chooses one.
        protocol: `tcp`, `udp` or `sctp`.
        host_ip: address it is bound to, empty for all.
        place: where it is written.
    """

    target: int
    published: int | None = None
    protocol: str = "tcp"
    host_ip: str = ""
    place: Place = NOWHERE

    def clashes_with(self, other: Port) -> bool:
        """Whether both cannot be published on one host."""
        if self.published is None or (self.published, self.protocol) != (other.published, other.protocol):
            return False
        anywhere = {"", "0.0.0.0", "::"}  # noqa: S104 - compared with, never bound to
        return self.host_ip in anywhere or other.host_ip in anywhere or self.host_ip == other.host_ip

    def __str__(self) -> str:
        """Return the short Compose form."""
        host = f"{f'[{self.host_ip}]' if ':' in self.host_ip else self.host_ip}:" if self.host_ip else ""
        published = f"{self.published or ''}:" if self.host_ip or self.published is not None else ""
        return f"{host}{published}{self.target}/{self.protocol}"


@dataclass(frozen=True, slots=True)
class Mount:
    """What a service mounts.

    Attributes:
        kind: `volume`, `bind`, `tmpfs`, `npipe`, `cluster` or `image`.
        source: the volume's key, the path as written (`./conf/x`, `/srv/media`), or empty when anonymous.
        target: path in the container.
        read_only: whether it cannot write there.
        place: where it is written.
    """

    kind: str
    source: str
    target: str
    read_only: bool = False
    place: Place = NOWHERE


@dataclass(frozen=True, slots=True)
class Attachment:
    """A network that a service joins, with its fixed addresses if it has any."""

    network: str
    ipv4: str = ""
    ipv6: str = ""
    aliases: tuple[str, ...] = ()
    place: Place = NOWHERE


@dataclass(frozen=True, slots=True)
class Dependency:
    """A service that this one waits for; `condition` is Compose's."""

    name: str
    condition: str = "service_started"
    required: bool = True
    place: Place = NOWHERE


@dataclass(frozen=True, slots=True)
class GpuAsk:
    """What a service asks of GPUs. Exactly one of memory, count and profile is set, or none: access only.

    Attributes:
        memory: bytes of VRAM on one card (a share of it).
        count: whole cards, used by nobody else; with `memory_each` unset.
        profile: a MIG slice, such as `1g.10gb`.
        access: number of cards an imported device reservation wants (VRAM unsaid); -1 means all.
        device_ids: cards named in the Compose file.
        same_node: whether all cards must be on one node (always so for one instance of a service).
        require: label → condition on the card (`memory`, `model`, `compute_capability`).
        isolation: `mig`, `mps`, `app`, `watchdog`, `advisory` or empty for the strongest there is.
        time_group: members of one group never run together.
        place: where it is written.
    """

    memory: int = 0
    count: int = 0
    profile: str = ""
    access: int = 0
    device_ids: tuple[str, ...] = ()
    same_node: bool = True
    require: Mapping[str, str] = field(default_factory=dict)
    isolation: str = ""
    time_group: str = ""
    place: Place = NOWHERE


@dataclass(frozen=True, slots=True)
class PlacementRule:
    """Where a service may stand.

    Attributes:
        node: the one node it is fixed to, or empty.
        nodes: the nodes it may stand on; empty means all.
        require: label → allowed values (hard).
        prefer: label → preferred values (soft).
        tolerations: taint keys it tolerates.
        affinity: domain (`node`) → services it must share the domain with.
        anti_affinity: domain (`node`, `cores`, `gpu`) → services it must not share it with.
        spread: label to spread copies over, `node` or empty.
        spread_soft: whether spreading is only preferred.
        place: where the rule is written: its strongest key, from `node` down.
        places: key, such as `require` → where it is written.
        why: the reason that the policy gives.
    """

    node: str = ""
    nodes: tuple[str, ...] = ()
    require: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    prefer: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tolerations: tuple[str, ...] = ()
    affinity: Mapping[str, tuple[Name, ...]] = field(default_factory=dict)
    anti_affinity: Mapping[str, tuple[Name, ...]] = field(default_factory=dict)
    spread: str = ""
    spread_soft: bool = False
    place: Place = NOWHERE
    places: Mapping[str, Place] = field(default_factory=dict)
    why: str = ""

    @property
    def only(self) -> str:
        """Return the one node that it leaves, or the empty string where there are several, or all."""
        return self.node or (self.nodes[0] if len(self.nodes) == 1 else "")

    def at(self, key: str) -> Place:
        """Return where a key of the rule is written, or else the rule."""
        return self.places.get(key, self.place)


@dataclass(frozen=True, slots=True)
class Tuning:
    """Settings of the application that follow its limit; see `bayplan.tuning.recipes` for the recipes."""

    recipe: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    place: Place = NOWHERE


@dataclass(frozen=True, slots=True)
class Replicas:
    """How many copies are placed (`count`), and the range they may scale in."""

    count: int = 1
    minimum: int = 1
    maximum: int = 1
    place: Place = NOWHERE
    scaled: bool = False


@dataclass(frozen=True, slots=True)
class Service:
    """One service of the fleet.

    Attributes:
        name: its identity.
        place: where it is defined.
        image: the image, or empty if it is built.
        build: the build context as written, or empty.
        platforms: `linux/amd64`, …; empty means unknown.
        requests, limits, estimates: resource → quantity, for one copy.
        replicas: how many copies.
        tier, pool: names; the pool may be empty.
        gpu: what it asks of GPUs, or None.
        ports, mounts, networks, depends_on: its ties to the node and to others.
        container_name, network_mode: as in Compose; empty if unset. `service:x` makes x and this one a group.
        placement: where it may stand.
        cores: `shared`, `exclusive`, the name of a core set or a range such as `2-3`.
        qos: `guaranteed`, `burstable`, `besteffort` or empty (derived).
        tuning: settings that follow the limit, or None.
        remap_ports: published → published, applied on the way to TO-BE.
        active: False if it belongs to a profile that is not listed.
        body: the canonical Compose mapping, as plain data, that the output starts from.
        why: the reason that the policy gives for what it changes.
        changed: policy key (`limits`, `remap_ports`, …) → the reason given for what it changes.
        settings: path in the policy's grammar → the source node that has the last word there; not part of what a
            service is, as two that differ in it alone run alike.
        tree: the source node of `body`, which knows its places; likewise.
        variables: what the `.env` of its project sets, for amounts that are said with a variable; likewise, and never
            shown, as passwords are among them.
    """

    name: Name
    place: Place = NOWHERE
    image: str = ""
    build: str = ""
    platforms: tuple[str, ...] = ()
    requests: Mapping[str, Quantity] = field(default_factory=dict)
    limits: Mapping[str, Quantity] = field(default_factory=dict)
    estimates: Mapping[str, Quantity] = field(default_factory=dict)
    replicas: Replicas = Replicas()
    tier: str = "standard"
    pool: str = ""
    gpu: GpuAsk | None = None
    ports: tuple[Port, ...] = ()
    mounts: tuple[Mount, ...] = ()
    networks: tuple[Attachment, ...] = ()
    depends_on: tuple[Dependency, ...] = ()
    container_name: str = ""
    network_mode: str = ""
    placement: PlacementRule = PlacementRule()
    cores: str = "shared"
    qos: str = ""
    tuning: Tuning | None = None
    remap_ports: Mapping[int, int] = field(default_factory=dict)
    active: bool = True
    body: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""
    changed: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[tuple[str, ...], Any] = field(default_factory=dict, compare=False, repr=False)
    tree: Any = field(default=None, compare=False, repr=False)
    variables: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    @property
    def volume_keys(self) -> tuple[str, ...]:
        """Return the keys of the named volumes it mounts, sorted, each once."""
        return tuple(sorted({mount.source for mount in self.mounts if mount.kind == "volume" and mount.source}))

    @property
    def bind_paths(self) -> tuple[str, ...]:
        """Return the host paths it mounts, sorted, each once."""
        return tuple(sorted({mount.source for mount in self.mounts if mount.kind == "bind"}))
