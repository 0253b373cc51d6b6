"""A moment: the fleet and its ledger AS-IS, after a stage, or TO-BE. Claims are measured against moments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayplan.analyse.charge import charge
from bayplan.analyse.ledger import Ledger, ledger
from bayplan.model.quantity import GPU_MEMORY, MEMORY, Origin, Sum, total

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bayplan.model.fleet import Fleet
    from bayplan.model.names import Instance, Name
    from bayplan.model.placement import Seat
    from bayplan.model.service import Service


@dataclass(frozen=True, slots=True)
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

    def bar(self, nodes: Iterable[str], resource: str) -> int:
        """Return reserve and charges of a resource over some nodes; VRAM over all of their cards."""
        wanted = set(nodes)
        return sum(row.bar for row in self.ledger.rows if row.node in wanted and _is(row.resource, resource))

    def parts(self, nodes: Iterable[str], resource: str) -> Sum:
        """Return the charges over some nodes, their kinds apart."""
        wanted = set(nodes)
        return total(row.charges for row in self.ledger.rows if row.node in wanted and _is(row.resource, resource))

    def services(self, nodes: Iterable[str]) -> tuple[Service, ...]:
        """Return the services that have a copy on some nodes, by name."""
        wanted = set(nodes)
        names = {copy.service for copy, seat in self.seats.items() if seat.node in wanted}
        return tuple(self.fleet.services[name] for name in sorted(names) if name in self.fleet.services)

    def charged(self, services: Iterable[Service], resource: str, *, each: int = 0) -> int:
        """Return what services are charged together: `each` copies of each at most, or all of them."""
        amounts = ((charge(self.fleet, service, resource), _copies(service, each)) for service in services)
        return sum(amount.amount * copies for amount, copies in amounts if amount)

    def kinds(self, services: Iterable[Service], resource: str) -> Sum:
        """Return what services are charged together, the kinds apart."""
        result = Sum()
        for service in services:
            found = charge(self.fleet, service, resource)
            if found:
                result = result.plus(found.amount, found.origin)
                result = result.plus(found.amount * (service.replicas.count - 1), Origin.REPLICAS)
        return result

    def stated(self, services: Iterable[Service], half: str, resource: str, *, each: int = 0) -> int:
        """Return the plain sum of requests or limits: `each` copies of each at most, or all of them."""
        result = 0
        for service in services:
            if resource == GPU_MEMORY:
                result += _copies(service, each) * (service.gpu.memory if service.gpu else 0)
                continue
            own: Mapping[str, object] = service.requests if half == "requests" else service.limits
            amount = own.get(resource) or (service.limits.get(resource) if half == "requests" else None)
            result += _copies(service, each) * getattr(amount, "amount", 0)
        return result


def _copies(service: Service, each: int) -> int:
    return min(each, service.replicas.count) if each else service.replicas.count


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
