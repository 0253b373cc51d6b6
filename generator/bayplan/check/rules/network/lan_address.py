"""Containers that stand in the network of the machines, with an address or an interface that somebody has already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.analyse import addresses
from bayplan.check.rule import Rule
from bayplan.check.rules.network.address_outside import fixed, taken_addresses
from bayplan.check.rules.network.external_elsewhere import nodes_of_networks
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.model.fleet import Network
    from bayplan.model.service import Attachment, Service

RULE = Rule("network/lan-address", Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each address on a macvlan or ipvlan that is given twice, and each interface taken twice."""
    yield from _addresses(survey)
    yield from _parents(survey)


def _addresses(survey: Survey) -> Iterator[Finding]:
    machines = {node.address: node for node in survey.fleet.nodes.values()}
    given: dict[str, tuple[Service, Attachment, Network]] = {}
    taken = taken_addresses(survey) | set(machines)
    for service, link, network in fixed(survey):
        if not addresses.is_on_lan(network):
            continue
        machine, other = machines.get(link.ipv4), given.setdefault(link.ipv4, (service, link, network))
        owner = f"node {machine.name}" if machine is not None else str(other[0].name)
        place = machine.place if machine is not None else other[1].place
        if machine is None and (other[0] is service or _told(survey, service, network, other)):
            continue
        yield RULE.finding(
            link.place,
            service.name,
            f"has the address {link.ipv4} in the network of the machines, where {owner} has it too",
            arithmetic=f"{link.ipv4}: {owner}, {service.name}",
            write=addresses.free(network, taken),
            also=(place,),
        )


def _told(survey: Survey, service: Service, network: Network, other: tuple[Service, Attachment, Network]) -> bool:
    """Whether both are on one network of one node, which `network/address-taken` tells."""
    nodes = survey.nodes_of.get(service.name, ()), survey.nodes_of.get(other[0].name, ())
    return network.real_name == other[2].real_name and bool(set(nodes[0]) & set(nodes[1]))


def _parents(survey: Survey) -> Iterator[Finding]:
    """Yield networks of one node that want one interface: Docker gives it to one of them."""
    where = nodes_of_networks(survey)
    first: dict[tuple[str, str], Network] = {}
    for name, network in sorted(survey.fleet.networks.items()):
        parent = addresses.option(network, "parent")
        for node in sorted(where.get(name, ())) if addresses.is_on_lan(network) and parent else ():
            other = first.setdefault((node, parent), network)
            if other.real_name != network.real_name and not network.external and not other.external:
                yield RULE.finding(
                    network.written("driver_opts"),
                    name,
                    f"wants the interface {parent} of {node}, which {other.name} has: Docker makes one of them only",
                    arithmetic=f"{parent} on {node}: {other.name}, {name}",
                    remedy="join one network from both, or give each an interface of its own (eth0.10)",
                    also=(other.written("driver_opts"),),
                )
                break
