"""The problem: a fleet as hard rules, demands and rooms, from which policy lines can be dropped one by one.

Dropping a line only ever loosens the problem; that is what makes a deletion filter over the lines sound.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bayplan.analyse.cores import EXCLUSIVE, kind
from bayplan.analyse.pools import quota_of
from bayplan.model.quantity import CPUS, DISK, GPU_MEMORY
from bayplan.place.constraints import lines
from bayplan.place.constraints.bill import Bill, PoolBill, VolumeBill

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bayplan.model.fleet import Fleet, Node, Pool
    from bayplan.model.names import Name
    from bayplan.model.service import GpuAsk, Service
    from bayplan.place.constraints.holds import Hold
    from bayplan.place.constraints.lines import Key, PolicyLine
    from bayplan.place.constraints.rules import CardPair, Refusal, Rule
    from bayplan.place.constraints.ties import SharedVolume


@dataclass(frozen=True, slots=True)
class Problem:
    """What has to hold.

    Attributes:
        fleet: where it comes from.
        services: those with a copy to place, by name.
        nodes: by name.
        resources: those that somebody is charged for.
        refusals, rules: the hard rules in a fixed order, each with the keys of its lines.
        card_rules: affinities of single cards.
        demands: (service or volume, resource) → the line that asks, with the amount for one copy.
        standing: service → node → copies that stand there today.
        holds: what keeps services there.
        sized: volumes that are charged to a disk.
        dropped: keys of the lines that do not count.
    """

    fleet: Fleet
    services: tuple[Service, ...]
    nodes: tuple[Node, ...]
    resources: tuple[str, ...]
    refusals: tuple[tuple[Refusal, frozenset[Key]], ...]
    rules: tuple[tuple[Rule, frozenset[Key]], ...]
    card_rules: tuple[CardPair, ...]
    demands: Mapping[tuple[Name, str], PolicyLine]
    standing: Mapping[Name, Mapping[str, int]]
    holds: tuple[Hold, ...] = ()
    sized: tuple[SharedVolume, ...] = ()
    dropped: frozenset[Key] = field(default=frozenset())

    def without(self, keys: Iterable[Key]) -> Problem:
        """Return the problem with some more lines dropped."""
        return replace(self, dropped=self.dropped | frozenset(keys))

    def counts(self, some: Iterable[PolicyLine]) -> bool:
        """Whether a rule with these lines holds: none of them is dropped."""
        return not any(line.key in self.dropped for line in some)

    def active(self) -> Iterator[Rule]:
        """Yield the rules that hold, without the refusals."""
        return (rule for rule, keys in self.rules if self.dropped.isdisjoint(keys))

    def refusing(self) -> Iterator[Refusal]:
        """Yield the refusals that hold."""
        return (rule for rule, keys in self.refusals if self.dropped.isdisjoint(keys))

    def refused(self) -> frozenset[tuple[Name, str]]:
        """Return the pairs of service and node that a rule rules out."""
        return frozenset((rule.service, rule.node) for rule in self.refusing())

    def demand(self, service: Service, node: Node, resource: str) -> int:
        """Return what one copy is charged on a node; exclusive cores are whole physical ones."""
        line = self.demands.get((service.name, resource))
        if line is None or line.key in self.dropped:
            return 0
        if resource == CPUS and kind(self.fleet, service) == EXCLUSIVE:
            whole = 1000 * max(1, node.threads_per_core)
            return -(-line.amount // whole) * whole
        return line.amount

    def ask(self, service: Service) -> GpuAsk | None:
        """Return what a service asks of cards, None if nothing or if the line is dropped."""
        line = self.demands.get((service.name, lines.GPU))
        return None if line is None or line.key in self.dropped else service.gpu

    def room(self, node: Node, resource: str) -> int | None:
        """Return what is left for services under a node's line, None if nothing bounds it."""
        if ("capacity", node.name, resource) in self.dropped or _unknown_disk(node, resource):
            return None
        return node.room(resource)

    def bill(self, node: Node, resource: str) -> Bill:
        """Return every charge against a resource of a node."""
        charged = [(one, self.demand(one, node, resource)) for one in self.services]
        return replace(self._bill(resource, charged), volumes=self._volume_bills(node, resource))

    def card_bill(self, services: Iterable[Service]) -> Bill:
        """Return every charge against the VRAM of one card, for the services that could share it."""
        asks = [(one, ask) for one in services if (ask := self.ask(one)) and ask.memory]
        turns: dict[str, list[tuple[Name, int]]] = {}
        for one, ask in asks:
            if ask.time_group:
                turns.setdefault(ask.time_group, []).append((one.name, ask.memory))
        free = [(one, ask.memory) for one, ask in asks if not ask.time_group]
        grouped = tuple(tuple(members) for _, members in sorted(turns.items()))
        return replace(self._bill(GPU_MEMORY, free), turns=grouped)

    def _bill(self, resource: str, charged: list[tuple[Service, int]]) -> Bill:
        plain: list[tuple[Name, int]] = []
        pooled: dict[str, list[tuple[Name, int]]] = {}
        for service, amount in charged:
            if amount:
                bounded = self._bounding(service.pool, resource)
                (pooled.setdefault(service.pool, []) if bounded else plain).append((service.name, amount))
        pools = [self._pool_bill(name, resource, members) for name, members in sorted(pooled.items())]
        return Bill(resource, tuple(plain), tuple(one for one in pools if one))

    def _bounding(self, name: str, resource: str) -> bool:
        pool = self.fleet.pools.get(name)
        return bool(pool and bounds(pool, resource))

    def _pool_bill(self, name: str, resource: str, members: list[tuple[Name, int]]) -> PoolBill | None:
        if ("pool", name, resource) in self.dropped:
            return None
        pool = self.fleet.pools[name]
        return PoolBill(pool, resource, quota_of(pool, resource), tuple(members))

    def disk_line(self, shared: SharedVolume) -> PolicyLine:
        """Return the line by which a volume asks for space; one without a class asks for it on any first disk."""
        return self.demands[shared.volume.name, f"{DISK}{shared.volume.disk_class}"]

    def _volume_bills(self, node: Node, resource: str) -> tuple[VolumeBill, ...]:
        here = [one for one in self.sized if node.disk_of(one.volume) == resource] if resource.startswith(DISK) else ()
        return tuple(
            VolumeBill(one.volume.name, line.amount, one.users, one.volume.access == "per-replica")
            for one in here
            if (line := self.disk_line(one)).key not in self.dropped
        )

    def all_lines(self) -> tuple[PolicyLine, ...]:
        """Return every line that could be dropped, each once, in order."""
        keyed = [rule for rule, _ in (*self.refusals, *self.rules)]
        found = {line.key: line for rule in (*keyed, *self.card_rules) for line in rule.lines}
        found.update({line.key: line for line in self.demands.values()})
        for node in self.nodes:
            found.update({line.key: line for line in _node_lines(node, self.resources)})
        for _, pool in sorted(self.fleet.pools.items()):
            for resource in (*self.resources, GPU_MEMORY):
                if bounds(pool, resource):
                    line = lines.pool(pool, resource, pool.quota.get("requests", {}).get(resource))
                    found[line.key] = line
        return tuple(line for key, line in sorted(found.items()) if key not in self.dropped)


def bounds(pool: Pool, resource: str) -> bool:
    """Whether an on-demand pool is charged less than the sum of its members."""
    return pool.scaling == "on-demand" and bool(pool.concurrent or quota_of(pool, resource) is not None)


def _node_lines(node: Node, resources: Iterable[str]) -> Iterator[PolicyLine]:
    yield lines.cards(node)
    for resource in resources:
        yield lines.capacity(node, resource)


def same_disk(nodes: Iterable[Node], resource: str) -> bool:
    """Whether a volume without a class takes of a disk on all of some nodes, or on none: their first is the same."""
    return not resource.startswith(DISK) or len({node.first_disk for node in nodes}) == 1


def _unknown_disk(node: Node, resource: str) -> bool:
    """Whether nothing is known of a disk: its size, or, of a node that names none, whether there is one."""
    if resource == DISK:
        return True
    disk = node.disks.get(resource.removeprefix(DISK)) if resource.startswith(DISK) else None
    return disk is not None and not disk.size and not node.has(resource)
