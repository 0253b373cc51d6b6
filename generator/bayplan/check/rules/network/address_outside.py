"""Fixed addresses that are in no subnet of their network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.analyse import addresses
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model.names import Name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding, Place
    from bayplan.model.fleet import Network
    from bayplan.model.service import Attachment, Service

RULE = Rule("network/address-outside", Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each fixed IPv4 address that Docker would refuse."""
    taken = taken_addresses(survey)
    nowhere: dict[Name, list[Place]] = {}
    for service, link, network in fixed(survey):
        subnets = [one.subnet for one in addresses.subnets(network)]
        address = addresses.address(link.ipv4)
        if address is None or any(address in one for one in subnets):
            continue
        if not subnets:
            if not network.external and not network.subnets:
                nowhere.setdefault(network.name, []).append(link.place)
            continue
        yield RULE.finding(
            link.place,
            service.name,
            f"has the address {address}, which is not in {' or '.join(map(str, subnets))}",
            arithmetic=f"{address} not in {', '.join(map(str, subnets))}",
            write=addresses.free(network, taken),
            also=(network.place,),
        )
    for name, (first, *others) in nowhere.items():
        network = survey.fleet.networks[name]
        yield RULE.finding(
            first,
            name,
            "has fixed addresses and no subnet that they could be in: Docker gives none then, and nobody starts",
            arithmetic=f"{1 + len(others)} fixed, 0 subnets",
            paste=survey.paste(("networks", str(name), "static_addresses"), "drop"),
            remedy="or give the network a subnet in its ipam config",
            also=(network.written(), *others),
        )


def fixed(survey: Survey) -> Iterator[tuple[Service, Attachment, Network]]:
    """Yield each fixed IPv4 address that a service keeps, with the network that it is of."""
    for service in survey.services:
        for link in service.networks:
            network = survey.fleet.networks.get(Name(service.name.project, link.network))
            if link.ipv4 and network is not None and network.static_addresses != "drop":
                yield service, link, network


def taken_addresses(survey: Survey) -> set[str]:
    """Return all fixed addresses of the fleet."""
    return {link.ipv4 for service in survey.services for link in service.networks if link.ipv4}
