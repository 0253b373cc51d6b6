"""The ledger: what each node has, what is asked of it, and by what kind of statement.

One bar per node and resource, the same that `free` and the monitors show:

    [reserve|charges·········|ceiling   ]capacity

A replica is charged each; the members of an on-demand pool are charged together (`bayplan.analyse.pools`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from bayplan.analyse.charge import charge_on
from bayplan.analyse.pools import together
from bayplan.analyse.ports import Ports, ports
from bayplan.model.names import Name
from bayplan.model.quantity import CPUS, DISK, GPU_MEMORY, MEMORY, Origin, Quantity, Sum

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bayplan.model.fleet import Fleet, Node
    from bayplan.model.names import Instance
    from bayplan.model.placement import Seat
    from bayplan.model.service import Service

IDLE = 0.2
"""Below this share of its capacity a resource counts as idle."""


class State(StrEnum):
    """How a resource of a node stands: over its capacity, over its ceiling, fine, or hardly used."""

    OVER = "over"
    NEAR = "near"
    OK = "ok"
    IDLE = "idle"


@dataclass(frozen=True, slots=True)
class Row:
    """One resource of one node. Amounts in the unit of the resource.

    Attributes:
        node, resource: whose and what; `gpu_memory/0` is the first card.
        capacity, reserve, line: what is there, what is kept, how far reserve and charges may go.
        charges: the sum of charges, its kinds apart.
        pooled: what on-demand pools and time groups save of that sum, as they never run all at once.
        unbounded: the services of which nothing is known.
        services: how many services and copies are charged here.
        copies: how many copies those are.
        kinds: kind of statement → how many services are charged by it.
        reserve_origin: whether the reserve was declared or measured.
    """

    node: str
    resource: str
    capacity: int
    reserve: int
    line: int
    charges: Sum = field(default_factory=Sum)
    pooled: int = 0
    unbounded: tuple[Name, ...] = ()
    services: int = 0
    copies: int = 0
    kinds: Mapping[Origin, int] = field(default_factory=dict)
    reserve_origin: Origin = Origin.DECLARED

    @property
    def charged(self) -> int:
        """Return what services are charged together, pools counted once."""
        return self.charges.total - self.pooled

    @property
    def bar(self) -> int:
        """Return reserve and charges: how long the bar is."""
        return self.reserve + self.charged

    @property
    def over(self) -> int:
        """Return how far the bar is over the line, 0 if it is not."""
        return max(0, self.bar - self.line)

    @property
    def state(self) -> State:
        """Return how the resource stands."""
        if self.bar > self.capacity:
            return State.OVER
        if self.bar > self.line:
            return State.NEAR
        # Whoever is unbounded may use it all: such a resource is not idle.
        if self.bar < IDLE * self.capacity and not self.unbounded:
            return State.IDLE
        return State.OK


@dataclass(frozen=True)
class Ledger:
    """All rows of a fleet, by node and resource, for one moment (AS-IS, a stage, TO-BE)."""

    rows: tuple[Row, ...]
    services: Mapping[str, int] = field(default_factory=dict)
    """Node → how many services stand there."""
    copies: Mapping[str, int] = field(default_factory=dict)
    """Node → how many copies of them."""
    ports: Mapping[str, Ports] = field(default_factory=dict)
    """Node → what is published there."""

    def row(self, node: str, resource: str) -> Row | None:
        """Return one row, or None."""
        return next((row for row in self.of(node) if row.resource == resource), None)

    def of(self, node: str) -> tuple[Row, ...]:
        """Return the rows of a node."""
        return self._by_node.get(node, ())

    @cached_property
    def _by_node(self) -> Mapping[str, tuple[Row, ...]]:
        found: dict[str, list[Row]] = {}
        for row in self.rows:
            found.setdefault(row.node, []).append(row)
        return {node: tuple(rows) for node, rows in found.items()}

    def state(self, node: str) -> State:
        """Return the state of a node: its worst resource; idle if most of its resources are."""
        states = [row.state for row in self.of(node)]
        for worst in (State.OVER, State.NEAR):
            if worst in states:
                return worst
        return State.IDLE if 2 * states.count(State.IDLE) >= len(states) > 0 else State.OK


def ledger(fleet: Fleet, seats: Mapping[Instance, Seat]) -> Ledger:
    """Return the ledger of a fleet whose copies stand on `seats`; copies without a seat are charged nowhere."""
    here: dict[str, list[tuple[Instance, Seat]]] = {name: [] for name in fleet.nodes}
    for copy, seat in sorted(seats.items()):
        service = fleet.services.get(copy.service)
        if service is not None and service.active and seat.node in here:
            here[seat.node].append((copy, seat))
    rows: list[Row] = []
    for name, node in fleet.nodes.items():
        copies = here[name]
        resources = [CPUS, MEMORY, *_countables(node)]
        rows.extend(_row(fleet, node, resource, [copy for copy, _ in copies]) for resource in resources)
        rows.extend(_cards(fleet, node, copies))
        rows.extend(_disks(fleet, node, [copy for copy, _ in copies]))
    return Ledger(
        tuple(rows),
        {name: len({copy.service for copy, _ in copies}) for name, copies in here.items()},
        {name: len(copies) for name, copies in here.items()},
        {name: ports(fleet, dict(copies), name) for name, copies in here.items()},
    )


def _countables(node: Node) -> tuple[str, ...]:
    known = {CPUS, MEMORY, GPU_MEMORY}
    return tuple(sorted(key for key in node.capacity if key not in known and not key.startswith(DISK)))


def _row(fleet: Fleet, node: Node, resource: str, copies: Iterable[Instance]) -> Row:
    reserve = node.reserve.get(resource)
    row = Row(
        node=node.name,
        resource=resource,
        capacity=node.has(resource),
        reserve=node.reserved(resource),
        line=node.line(resource),
        reserve_origin=reserve.origin if reserve else Origin.DECLARED,
    )
    return _charged(fleet, row, copies)


def asked(fleet: Fleet, service: Service, row: Row) -> Quantity | None:
    """Return what one copy is charged in a row, or None if nothing is known of it."""
    if row.resource.startswith(f"{GPU_MEMORY}/"):
        return _vram(service, row.line - row.reserve)
    return charge_on(fleet, service, fleet.nodes[row.node], row.resource)


def _charged(fleet: Fleet, row: Row, copies: Iterable[Instance]) -> Row:
    charges = Sum()
    unbounded: list[Name] = []
    each: list[tuple[Service, int]] = []
    kinds: dict[Origin, int] = {}
    counted = Counter(copy.service for copy in copies)
    for name, many in counted.items():
        service = fleet.services[name]
        amount = asked(fleet, service, row)
        if amount is None:
            unbounded.append(name)
            continue
        charges = charges.plus(amount.amount, amount.origin).plus(amount.amount * (many - 1), Origin.REPLICAS)
        if amount.amount:
            kinds[amount.origin] = kinds.get(amount.origin, 0) + 1
        each.extend([(service, amount.amount)] * many)
    return replace(
        row,
        charges=charges,
        pooled=charges.total - together(fleet, row.resource.partition("/")[0], each),
        unbounded=tuple(sorted(unbounded)),
        services=len(counted),
        copies=sum(counted.values()),
        kinds=dict(sorted(kinds.items())),
    )


def _cards(fleet: Fleet, node: Node, copies: Iterable[tuple[Instance, Seat]]) -> list[Row]:
    """Return a row for each card; the reserve stands on the first one."""
    rows = []
    share = node.ceilings.get(GPU_MEMORY)
    standing = tuple(copies)
    for card in node.gpus:
        on_card = [copy for copy, seat in standing if card.index in seat.gpus]
        row = Row(
            node=node.name,
            resource=f"{GPU_MEMORY}/{card.index}",
            capacity=card.memory,
            reserve=node.reserved(GPU_MEMORY) if card.index == node.gpus[0].index else 0,
            line=share.of(card.memory) if share else card.memory,
        )
        rows.append(_charged(fleet, row, on_card))
    return rows


def _vram(service: Service, whole: int) -> Quantity | None:
    """Return the VRAM that a service takes of a card: its share, all that may be given, or None if nothing says it."""
    ask = service.gpu
    if ask is None:
        return Quantity(0)
    if ask.count:
        return Quantity(whole, place=ask.place)
    if ask.memory or ask.profile:
        return Quantity(ask.memory, place=ask.place)
    return None


def _disks(fleet: Fleet, node: Node, copies: Iterable[Instance]) -> list[Row]:
    """Return a row for each disk class: the volumes of the services that stand here, each volume once."""
    used = {Name(copy.service.project, key) for copy in copies for key in fleet.services[copy.service].volume_keys}
    return disk_rows(fleet, node, used)


def disk_rows(fleet: Fleet, node: Node, volumes: Iterable[Name]) -> list[Row]:
    """Return a row for each disk class of a node that holds these volumes."""
    sizes: dict[str, Sum] = {f"{DISK}{name}": Sum() for name in node.disks}
    for name in sorted(set(volumes)):
        volume = fleet.volumes.get(name)
        if volume is None or volume.size is None or volume.access == "network":
            continue
        resource = node.disk_of(volume)
        if resource in sizes:
            sizes[resource] = sizes[resource].plus(volume.size.amount, volume.size.origin)
    return [
        Row(node.name, key, node.has(key), node.reserved(key), node.line(key), charges)
        for key, charges in sizes.items()
        if node.has(key)
    ]
