"""How many copies of a service there can ever be: what surely runs beside it, node by node, and within its pool."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from bayplan.analyse import cards
from bayplan.analyse.charge import charge, charge_on
from bayplan.analyse.eligible import domains_of
from bayplan.analyse.pools import asks
from bayplan.check.bursts import bursts
from bayplan.check.crowds import resources
from bayplan.model import units
from bayplan.model.quantity import CPUS, GPU_MEMORY, MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bayplan.check.survey import Survey
    from bayplan.finding import Place
    from bayplan.model.fleet import Fleet, Node, Pool
    from bayplan.model.names import Name
    from bayplan.model.service import Service

    Kinds = Sequence[tuple[Node, int]]
    There = tuple[Sequence[Node], Kinds, Mapping[str, int]]

CARDS = "cards"
_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Bound:
    """How many copies there can be, and why.

    Attributes:
        copies: that many.
        what: what there is no more of, after `but`: `the fleet has memory for 12`.
        arithmetic: the sum that says so.
        also: further places that make it so.
    """

    copies: int
    what: str
    arithmetic: str
    also: tuple[Place, ...] = ()


def bounds(survey: Survey) -> Iterator[tuple[Service, Bound]]:
    """Yield each service that does not get its most copies, with the tightest of its bounds.

    Where not even the copies of now are had, the placement says so, or the quota.
    """
    fleet = survey.fleet
    every = resources(fleet)
    times = {burst.pool.name: burst.factor for burst in bursts(survey) if burst.pool.scaling == "burst"}
    pools = {
        name: _Quotas.of(fleet, pool, survey.pools.get(name, ()), times.get(name, Fraction(1)))
        for name, pool in fleet.pools.items()
    }
    everything = {CARDS: sum(len(node.gpus) for node in fleet.nodes.values())}
    asked = {CARDS: sum(_cards(one) * one.replicas.count for one in survey.services)}
    for service, there, beside in _growing(survey, every):
        pooled = [*pools[service.pool].bounds(fleet, service)] if service.pool in pools else []
        held = [*_by_node(fleet, service, there, every)]
        if any(one.copies < service.replicas.count for one in (*pooled, *held)):
            continue
        found = [
            *_in_sum(service, ("the fleet", everything), asked, {CARDS: _cards(service)}),
            *_in_sum(service, (_named(fleet, there[0]), there[2]), beside, _each(fleet, service, every)),
            *held,
            *pooled,
        ]
        least = min((one for one in found if one.copies >= service.replicas.count), key=_copies, default=None)
        if least is not None and least.copies < service.replicas.maximum:
            yield service, least


def _copies(bound: Bound) -> int:
    return bound.copies


def _growing(survey: Survey, every: Sequence[str]) -> Iterator[tuple[Service, There, Mapping[str, int]]]:
    """Yield each service that may grow, the nodes on which it may stand, and what surely runs there and nowhere else.

    A service is first seen in the crowd of the nodes that are its own.
    """
    seen: set[Name] = set()
    everywhere = tuple(survey.fleet.nodes.values())
    for crowd in survey.crowds:
        mine = [one for one in crowd.services if one.name not in seen and _grows(one)]
        seen.update(one.name for one in crowd.services)
        if not mine:
            continue
        # Whom no node may have is told by that; beside all others it can be said all the same.
        nodes, others = (crowd.nodes, crowd.services) if crowd.nodes else (everywhere, survey.services)
        beside: Counter[str] = Counter()
        for one in others:
            if not rests(survey.fleet, one):
                beside.update({key: each * one.replicas.count for key, each in _each(survey.fleet, one, every).items()})
        there = nodes, _kinds(survey.fleet, nodes), _rooms(survey.fleet, nodes)
        yield from ((one, there, beside) for one in mine)


def _grows(service: Service) -> bool:
    return service.replicas.scaled and service.replicas.maximum > service.replicas.count


def rests(fleet: Fleet, service: Service) -> bool:
    """Whether a service may rest while others run: a member of a pool on demand that is not scaled."""
    pool = fleet.pools.get(service.pool)
    return pool is not None and pool.scaling == "on-demand" and not service.replicas.scaled


def _each(fleet: Fleet, service: Service, every: Sequence[str]) -> dict[str, int]:
    """Return what one copy is charged, of each resource of which it is charged anything."""
    amounts = {resource: charge(fleet, service, resource) for resource in every}
    return {resource: one.amount for resource, one in amounts.items() if one is not None and one.amount}


def _cards(service: Service) -> int:
    return service.gpu.count if service.gpu else 0


def _rooms(fleet: Fleet, nodes: Sequence[Node]) -> dict[str, int]:
    return {resource: sum(node.room(resource) for node in nodes) for resource in resources(fleet)}


def _named(fleet: Fleet, nodes: Sequence[Node]) -> str:
    names = ", ".join(node.name for node in nodes[:_SHOWN])
    many = f" and {len(nodes) - _SHOWN} more nodes" if len(nodes) > _SHOWN else ""
    return "the fleet" if len(nodes) == len(fleet.nodes) else f"{names}{many}, where it may stand,"


def _in_sum(
    service: Service, there: tuple[str, Mapping[str, int]], asked: Mapping[str, int], each: Mapping[str, int]
) -> Iterator[Bound]:
    """Yield how many copies the room of some nodes together holds, beside what surely runs there."""
    replicas = service.replicas
    where, rooms = there
    for resource, one in each.items():
        room = rooms.get(resource, 0)
        others = asked[resource] - one * replicas.count
        if not one or others + one * replicas.maximum <= room:
            continue
        # Where not even the copies of now fit beside the others, the placement says so; alone it may still be said.
        others = others if others + one * replicas.count <= room else 0
        beside = f" + {_show(resource, others)} of the others" if others else ""
        yield Bound(
            (room - others) // one,
            f"{where} has {resource} for {(room - others) // one}",
            f"{replicas.maximum} x {_show(resource, one)} = {_show(resource, one * replicas.maximum)}{beside} > "
            f"{_show(resource, room)}; at {replicas.count}: {_show(resource, one * replicas.count)}",
        )


def _kinds(fleet: Fleet, nodes: Sequence[Node]) -> Kinds:
    """Return one node of each kind of which only the number matters, with that number."""
    alike: dict[object, tuple[Node, int]] = {}
    every = resources(fleet)
    for node in nodes:
        there = tuple((len(some.cards), some.room, some.sample.model, some.sample.mig) for some in cards.groups(node))
        key = (tuple(node.room(resource) for resource in every), node.threads_per_core, there)
        sample, many = alike.get(key, (node, 0))
        alike[key] = sample, many + 1
    return tuple(alike.values())


def _surely(fleet: Fleet, service: Service, kinds: Kinds, every: Sequence[str]) -> bool:
    """Whether nodes hold the most copies at a glance: by their kinds, unless copies are spread over labels."""
    rule, most = service.placement, service.replicas.maximum
    if rule.spread and not rule.spread_soft:
        each = -(-most // sum(many for _, many in kinds)) if kinds else most
        return rule.spread == "node" and all(_on_node(fleet, service, one, every) >= each for one, _ in kinds)
    return sum(many * _on_node(fleet, service, one, every) for one, many in kinds) >= most


def _by_node(fleet: Fleet, service: Service, there: There, every: Sequence[str]) -> Iterator[Bound]:
    """Yield how many copies whole nodes hold, empty as they may be: none stands half on one and half on another.

    That each node has a published port once is told of all copies: `replicas/one-identity`.
    """
    most = service.replicas.maximum
    nodes, kinds, _ = there
    if _surely(fleet, service, kinds, every):
        return
    held = {node.name: _on_node(fleet, service, node, every) for node in nodes}
    fitting = min(sum(held.values()), _spread(fleet, service, held))
    if fitting >= most:
        return
    some = [f"{many} on {name}" for name, many in held.items() if many]
    more = f" + {len(some) - _SHOWN} more nodes" if len(some) > _SHOWN else ""
    evenly = f", spread over {service.placement.spread}: {fitting}" if fitting < sum(held.values()) else ""
    arithmetic = f"{' + '.join(some[:_SHOWN])}{more} = {sum(held.values())}{evenly} < {most}"
    yield Bound(fitting, f"the {_cards_or_nodes(service, nodes, held)} hold {fitting}", arithmetic)


def _cards_or_nodes(service: Service, nodes: Sequence[Node], held: Mapping[str, int]) -> str:
    """Return what there is too little of: shares and slices of cards, or anything of the nodes."""
    shared = service.gpu is not None and not service.gpu.count and not service.gpu.time_group
    by_cards = shared and all(held[node.name] == _by_cards(service, node) for node in nodes)
    return "cards" if by_cards else "nodes"


def _by_cards(service: Service, node: Node) -> int:
    return min(service.replicas.maximum, cards.copies(service.gpu, node)) if service.gpu else 0


def _on_node(fleet: Fleet, service: Service, node: Node, every: Sequence[str]) -> int:
    """Return how many copies an empty node holds."""
    found = [service.replicas.maximum]
    for resource in every:
        one = charge_on(fleet, service, node, resource)
        if one is not None and one.amount:
            found.append(node.room(resource) // one.amount)
    if service.gpu and not service.gpu.count and not service.gpu.time_group:
        found.append(_by_cards(service, node))
    return min(found)


def _spread(fleet: Fleet, service: Service, held: Mapping[str, int]) -> int:
    """Return how many copies nodes hold that are spread as the policy says."""
    rule, whole = service.placement, sum(held.values())
    domains = domains_of(fleet, rule.spread, held) if rule.spread and not rule.spread_soft else {}
    if not domains or sum(map(len, domains.values())) < len(held):
        return whole
    rooms = [sum(held[name] for name in names) for names in domains.values()]
    most = min(whole, len(rooms) * (min(rooms) + 1))
    evenly = (many for many in range(most, 0, -1) if sum(min(room, -(-many // len(rooms))) for room in rooms) >= many)
    return next(evenly, 0)


@dataclass(frozen=True)
class _Quotas:
    """What the quotas of a pool leave to one member beside the others, half and resource → amount."""

    pool: Pool
    asked: Mapping[tuple[str, str], int]
    times: Fraction

    @classmethod
    def of(cls, fleet: Fleet, pool: Pool, members: Sequence[Service], times: Fraction) -> _Quotas:
        """Return the quotas of a pool, with what its members that never rest ask of them."""
        asked: Counter[tuple[str, str]] = Counter()
        for half, amounts in pool.quota.items():
            for resource in amounts:
                asked[half, resource] = sum(
                    asks(fleet, one, half, resource) * one.replicas.count for one in members if not rests(fleet, one)
                )
        return cls(pool, asked, times)

    def bounds(self, fleet: Fleet, service: Service) -> Iterator[Bound]:
        """Yield how many copies of a member each quota holds; a burst may go over it, where others lend."""
        replicas, pool = service.replicas, self.pool
        if pool.per_node:
            return
        for (half, resource), asked in self.asked.items():
            quota = pool.quota[half][resource]
            most = int(self.times * quota.amount)
            one = asks(fleet, service, half, resource)
            others = asked - one * replicas.count
            if not one or others + one * replicas.maximum <= most:
                continue
            beside = f" + {units.show(resource, others)} of the others" if others else ""
            burst = f" in a burst of {float(self.times):g}" if self.times > 1 else ""
            fitting = (most - others) // one
            yield Bound(
                fitting,
                f"the quota of pool {pool.name} has {half}.{resource} for {fitting}",
                f"{replicas.maximum} x {units.show(resource, one)} = {units.show(resource, one * replicas.maximum)}"
                f"{beside} > {units.show(resource, most)}{burst}",
                (quota.place,),
            )


def _show(resource: str, amount: int) -> str:
    return units.show(resource, amount) if resource in (CPUS, MEMORY, GPU_MEMORY) else f"{amount} {resource}"
