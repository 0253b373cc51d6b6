"""Which copies cannot stand on one node: published ports, names, fixed addresses, anti-affinity, spreading."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from bayplan.analyse.eligible import domains_of
from bayplan.analyse.pools import asks
from bayplan.analyse.ports import published
from bayplan.place.constraints import lines
from bayplan.place.constraints.rules import Apart, CardPair, NodeQuota, Spread
from bayplan.place.constraints.ties import placed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bayplan.model.fleet import Fleet, Pool
    from bayplan.model.names import Name
    from bayplan.model.quantity import Quantity
    from bayplan.model.service import Port, Service


def clashes(fleet: Fleet) -> Iterator[Apart]:
    """Yield every pair of services (or of copies of one) that cannot share a node."""
    yield from _ports(fleet)
    yield from _names(fleet)
    yield from _addresses(fleet)
    yield from _anti_affinities(fleet)


def _ports(fleet: Fleet) -> Iterator[Apart]:
    by_number: dict[tuple[int | None, str], list[tuple[Service, Port]]] = {}
    for service in placed(fleet):
        for port in sorted(set(published(service)), key=str):
            by_number.setdefault((port.published, port.protocol), []).append((service, port))
    for _, users in sorted(by_number.items(), key=lambda item: str(item[0])):
        yield from _pairs(users)


def _pairs(users: list[tuple[Service, Port]]) -> Iterator[Apart]:
    for service, port in users:
        if service.replicas.count > 1:
            why = f"both publish {port.published}/{port.protocol}"
            yield Apart(service.name, service.name, (lines.port(service, port),), why)
    for (one, first), (other, second) in combinations(users, 2):
        if one.name != other.name and first.clashes_with(second):
            both = (lines.port(one, first), lines.port(other, second))
            yield Apart(one.name, other.name, both, f"both publish {first.published}/{first.protocol}")


def _names(fleet: Fleet) -> Iterator[Apart]:
    named: dict[str, list[Service]] = {}
    for service in placed(fleet):
        if service.container_name:
            named.setdefault(service.container_name, []).append(service)
    for name, users in sorted(named.items()):
        yield from _identity(users, [lines.container_name(user) for user in users], f"both are named {name}")


def _addresses(fleet: Fleet) -> Iterator[Apart]:
    fixed: dict[tuple[str, str], list[tuple[Service, lines.PolicyLine]]] = {}
    for service in placed(fleet):
        for joined in service.networks:
            network = fleet.networks.get(type(service.name)(service.name.project, joined.network))
            dropped = network is not None and network.static_addresses == "drop"
            real = network.real_name if network and network.real_name else f"{service.name.project}_{joined.network}"
            if joined.ipv4 and not dropped:
                line = lines.address(service, joined)
                fixed.setdefault((real, joined.ipv4), []).append((service, line))
    for (_, address), found in sorted(fixed.items()):
        users, users_lines = [user for user, _ in found], [line for _, line in found]
        yield from _identity(users, users_lines, f"both have the address {address}")


def _identity(users: list[Service], users_lines: list[lines.PolicyLine], why: str) -> Iterator[Apart]:
    pairs = list(zip(users, users_lines, strict=True))
    for user, line in pairs:
        if user.replicas.count > 1:
            yield Apart(user.name, user.name, (line,), why)
    for (one, first), (other, second) in combinations(pairs, 2):
        if one.name != other.name:
            yield Apart(one.name, other.name, (first, second), why)


def _anti_affinities(fleet: Fleet) -> Iterator[Apart]:
    there = {service.name for service in placed(fleet)}
    for service in placed(fleet):
        for other in sorted(set(service.placement.anti_affinity.get("node", ())) & there):
            line = lines.rule(service, "apart", str(other), f"anti_affinity node {other}")
            yield Apart(service.name, other, (line,), "anti-affinity")


def card_pairs(fleet: Fleet) -> Iterator[CardPair]:
    """Yield the affinities and anti-affinities of single cards."""
    asking = {service.name for service in placed(fleet) if service.gpu}
    for service in placed(fleet):
        rule = service.placement
        for apart, kind, named in ((True, "apart", rule.anti_affinity), (False, "affinity", rule.affinity)):
            for other in sorted(set(named.get("gpu", ())) & asking):
                words = f"{'anti_' if apart else ''}affinity gpu {other}"
                line = lines.rule(service, kind, f"gpu {other}", words)
                yield CardPair(service.name, other, apart, (line,), words.replace("_", "-"))


def spreads(fleet: Fleet, eligible: Mapping[Name, tuple[str, ...]]) -> Iterator[Spread]:
    """Yield the hard spreading rules over the nodes that may have a copy at all."""
    for service in placed(fleet):
        rule = service.placement
        domains = domains_of(fleet, rule.spread, eligible.get(service.name, ()))
        if rule.spread and not rule.spread_soft and domains:
            line = lines.rule(service, "spread", rule.spread, f"spread: {rule.spread}")
            least, rest = divmod(service.replicas.count, len(domains))
            floor = 0 if rule.spread == "node" else least
            yield Spread(service.name, rule.spread, domains, floor, least + (rest > 0), (line,))


def node_quotas(fleet: Fleet) -> Iterator[NodeQuota]:
    """Yield the quotas that hold for each node; an on-demand pool is charged by its quota instead."""
    for _, pool in sorted(fleet.pools.items()):
        if pool.per_node and pool.scaling != "on-demand":
            for kind in ("requests", "limits"):
                for resource, quota in sorted(pool.quota.get(kind, {}).items()):
                    yield _node_quota(fleet, pool, kind, resource, quota)


def _node_quota(fleet: Fleet, pool: Pool, kind: str, resource: str, quota: Quantity) -> NodeQuota:
    asked = [(one.name, asks(fleet, one, kind, resource)) for one in fleet.members(pool.name) if one.replicas.count > 0]
    words = f"pools.{pool.name} quota.{kind}.{resource} per node"
    line = lines.PolicyLine("pool", pool.name, f"{kind}.{resource}", words, quota.amount, quota.place)
    return NodeQuota(pool.name, resource, quota.amount, tuple(asked), tuple(sorted(fleet.nodes)), (line,))
