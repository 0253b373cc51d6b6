"""A moment: the fleet and its ledger AS-IS, after a stage, or TO-BE. Claims are measured against moments."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from bayplan.analyse.charge import charge, charge_on
from bayplan.analyse.ledger import Ledger, Row, asked, ledger
from bayplan.model.quantity import DISK, GPU_MEMORY, MEMORY, Origin, Sum, total

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bayplan.model.fleet import Fleet, Node
    from bayplan.model.names import Instance, Name
    from bayplan.model.placement import Seat
    from bayplan.model.service import Service

AS_IS, TO_BE = "as-is", "to-be"
"""What the first and the last moment are called; those between have the names of stages."""


@dataclass(frozen=True)
class Moment:
    """A fleet at one time, with where its copies stand."""

    name: str
    fleet: Fleet
    ledger: Ledger
    seats: Mapping[Instance, Seat]

    @classmethod
    def of(cls, name: str, fleet: Fleet, seats: Mapping[Instance, Seat]) -> Moment:
        """Return the moment of a fleet whose copies stand on `seats`."""
        return cls(name, fleet, ledger(fleet, seats), seats)

    @cached_property
    def everyone(self) -> tuple[Service, ...]:
        """Return the services that run, by name."""
        return self.fleet.active()

    @cached_property
    def names(self) -> Mapping[str, tuple[Name, ...]]:
        """Return name, in full or bare → the services that it may mean."""
        found: dict[str, tuple[Name, ...]] = {}
        for name in self.fleet.services:
            for text in {str(name), name.name}:
                found[text] = (*found.get(text, ()), name)
        return found

    @cached_property
    def rows(self) -> Mapping[str, tuple[Row, ...]]:
        """Return node → its rows of the ledger."""
        found: dict[str, list[Row]] = {name: [] for name in self.fleet.nodes}
        for row in self.ledger.rows:
            found[row.node].append(row)
        return {name: tuple(rows) for name, rows in found.items()}

    @cached_property
    def copies_on(self) -> Mapping[str, Mapping[Name, int]]:
        """Return node → service → how many of its copies stand there, by name; every node is there."""
        return {name: Counter(copy.service for copy, _ in self._copies.get(name, ())) for name in self.fleet.nodes}

    @cached_property
    def nodes_of(self) -> Mapping[Name, tuple[str, ...]]:
        """Return service → the nodes on which it has copies."""
        found: dict[Name, list[str]] = {}
        for node, here in self.copies_on.items():
            for name in here:
                found.setdefault(name, []).append(node)
        return {name: tuple(nodes) for name, nodes in found.items()}

    def capacity(self, resource: str) -> int:
        """Return what all nodes have of a resource; VRAM of all cards."""
        if resource not in self._capacities:
            self._capacities[resource] = sum(there(node, resource) for node in self.fleet.nodes.values())
        return self._capacities[resource]

    @cached_property
    def _capacities(self) -> dict[str, int]:
        return {}

    def bar(self, nodes: Iterable[str], resource: str) -> int:
        """Return reserve and charges of a resource over some nodes; VRAM over all of their cards."""
        return sum(row.bar for row in self._of(nodes, resource))

    def parts(self, nodes: Iterable[str], resource: str) -> Sum:
        """Return the charges over some nodes, their kinds apart; wherever they stand, further copies are replicas."""
        if resource.startswith(DISK):
            return total(row.charges for row in self._of(nodes, resource))
        return self._tally(tuple(nodes), resource)[0]

    def pooled(self, nodes: Iterable[str], resource: str) -> int:
        """Return what on-demand pools take off the charges over some nodes."""
        return sum(row.pooled for row in self._of(nodes, resource))

    def sources(self, nodes: Iterable[str], resource: str) -> Mapping[Origin, int]:
        """Return kind of statement → how many services are charged by it over some nodes."""
        return self._tally(tuple(nodes), resource)[1]

    def _tally(self, nodes: tuple[str, ...], resource: str) -> tuple[Sum, Mapping[Origin, int]]:
        """Return the charges over some nodes, and of how many services they are; many claims ask for the same."""
        if (nodes, resource) not in self._tallies:
            amounts: Counter[str] = Counter()
            services: Counter[Origin] = Counter()
            for origin, amount in self._charges(nodes, resource):
                amounts[(origin or Origin.REPLICAS).value] += amount
                services.update([origin] if origin and amount else [])
            self._tallies[nodes, resource] = Sum(**amounts), services
        return self._tallies[nodes, resource]

    @cached_property
    def _tallies(self) -> dict[tuple[tuple[str, ...], str], tuple[Sum, Mapping[Origin, int]]]:
        return {}

    def _charges(self, nodes: Iterable[str], resource: str) -> Iterator[tuple[Origin | None, int]]:
        """Yield what each copy on some nodes is charged, and by what kind of statement; None for further copies."""
        seen: set[Name] = set()
        for node in nodes:
            rows = [
                (row, row.resource.partition("/")[2]) for row in self.rows.get(node, ()) if _is(row.resource, resource)
            ]
            for copy, seat in self._copies.get(node, ()):
                taken = [row for row, card in rows if not card or int(card) in seat.gpus]
                found = [one for row in taken if (one := asked(self.fleet, self.fleet.services[copy.service], row))]
                if found:
                    first = copy.service not in seen
                    seen.add(copy.service)
                    yield found[0].origin if first else None, sum(one.amount for one in found)

    @cached_property
    def _copies(self) -> Mapping[str, tuple[tuple[Instance, Seat], ...]]:
        """Return node → the copies that stand there, by name and number."""
        found: dict[str, list[tuple[Instance, Seat]]] = {}
        for copy, seat in sorted(self.seats.items()):
            service = self.fleet.services.get(copy.service)
            if service is not None and service.active and seat.node in self.fleet.nodes:
                found.setdefault(seat.node, []).append((copy, seat))
        return {node: tuple(copies) for node, copies in found.items()}

    def fewer(self, nodes: Sequence[str], each: int, card: str = "") -> Moment:
        """Return the moment with fewer copies on some nodes, or on a card, and none elsewhere.

        Args:
            nodes: where copies are left.
            each: how many copies are left of each service at most; 0 for all.
            card: the index of the one card that they may be on.
        """
        asked_for = (tuple(nodes), each, card)
        if asked_for not in self._fewer:
            left: dict[Instance, Seat] = {}
            many: Counter[Name] = Counter()
            for copy, seat in (one for node in nodes for one in self._copies.get(node, ())):
                if (not each or many[copy.service] < each) and (not card or int(card) in seat.gpus):
                    many[copy.service] += 1
                    left[copy] = seat
            some = {name: self.fleet.nodes[name] for name in nodes}
            self._fewer[asked_for] = Moment.of(self.name, replace(self.fleet, nodes=some), left)
        return self._fewer[asked_for]

    @cached_property
    def _fewer(self) -> dict[tuple[tuple[str, ...], int, str], Moment]:
        return {}

    def _of(self, nodes: Iterable[str], resource: str) -> list[Row]:
        return [row for node in nodes for row in self.rows.get(node, ()) if _is(row.resource, resource)]

    def services(self, nodes: Iterable[str], card: str = "") -> tuple[Service, ...]:
        """Return the services that have a copy on some nodes, or on one card of them, by name."""
        standing = (one for node in nodes for one in self._copies.get(node, ()))
        names = {copy.service for copy, seat in standing if not card or int(card) in seat.gpus}
        return tuple(self.fleet.services[name] for name in sorted(names))

    def charged(self, services: Iterable[Service], resource: str, *, each: int = 0, scale: str = "") -> int:
        """Return what services are charged together: `each` copies of each at most, or all of them."""
        amounts = ((charge(self.fleet, service, resource), copies(service, each, scale)) for service in services)
        return sum(amount.amount * many for amount, many in amounts if amount)

    def charged_on(self, node: str, service: Service, resource: str) -> int:
        """Return what the copies of a service that stand on a node are charged there together."""
        amount = charge_on(self.fleet, service, self.fleet.nodes[node], resource)
        return self.copies_on[node].get(service.name, 0) * (amount.amount if amount else 0)

    def kinds(self, services: Iterable[Service], resource: str, *, each: int = 0, scale: str = "") -> Sum:
        """Return what services are charged together, as `charged` does, the kinds apart."""
        result = Sum()
        for service in services:
            found = charge(self.fleet, service, resource)
            many = copies(service, each, scale)
            if found and many:
                result = result.plus(found.amount, found.origin)
                result = result.plus(found.amount * (many - 1), Origin.REPLICAS)
        return result

    def origin(self, service: Service, resource: str) -> Origin | None:
        """Return what kind of statement the charge of a service is, or None if it is charged nothing."""
        found = charge(self.fleet, service, resource)
        return found.origin if found and found.amount else None


def there(node: Node, resource: str) -> int:
    """Return what a node has of a resource; VRAM of all its cards."""
    return sum(card.memory for card in node.gpus) if resource == GPU_MEMORY else node.has(resource)


def stated(service: Service, half: str, resource: str) -> int:
    """Return the request or the limit of one copy, a request that nobody says being the limit; 0 without either."""
    if resource == GPU_MEMORY:
        return service.gpu.memory if service.gpu else 0
    own = service.requests if half == "requests" else service.limits
    amount = own.get(resource) or (service.limits.get(resource) if half == "requests" else None)
    return amount.amount if amount else 0


def cards(service: Service) -> int:
    """Return how many cards one copy asks for; a share of one counts as one, and so does access to all."""
    ask = service.gpu
    return 0 if ask is None else max(1, ask.count, ask.access)


def copies(service: Service, each: int = 0, scale: str = "") -> int:
    """Return how many copies of a service are counted.

    Args:
        service: the service.
        each: at most so many; 0 for all.
        scale: `min` or `max` for the ends of its range; empty for as many as are planned.
    """
    replicas = service.replicas
    many = {"min": replicas.minimum, "max": replicas.maximum}.get(scale, replicas.count)
    return min(each, many) if each else many


def _is(row: str, resource: str) -> bool:
    return row == resource or (resource == GPU_MEMORY and row.startswith(f"{GPU_MEMORY}/"))


def qos(service: Service) -> str:
    """Return the quality class of a service, as Kubernetes derives it; CPU counts only where it is limited."""
    limit, request = service.limits.get(MEMORY), service.requests.get(MEMORY)
    if limit is None and request is None and not service.limits and not service.requests:
        return "besteffort"
    cpu_limit, cpu_request = service.limits.get("cpus"), service.requests.get("cpus")
    memory_equal = limit is not None and (request is None or request.amount == limit.amount)
    cpu_equal = cpu_limit is None or cpu_request is None or cpu_request.amount == cpu_limit.amount
    return "guaranteed" if memory_equal and cpu_equal else "burstable"


def named(services: Iterable[Service], names: Iterable[Name]) -> tuple[Service, ...]:
    """Return those of the services that are named."""
    wanted = set(names)
    return tuple(service for service in services if service.name in wanted)
