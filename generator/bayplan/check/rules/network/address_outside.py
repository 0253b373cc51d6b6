"""Fixed addresses that are in no subnet of their network."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from bayplan.check.compose_lines import line
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model.names import Name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("network/address-outside", Severity.ERROR)
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each fixed IPv4 address that Docker would refuse."""
    taken = {link.ipv4 for service in survey.services for link in service.networks if link.ipv4}
    for service in survey.services:
        for link in service.networks:
            network = survey.fleet.networks.get(Name(service.name.project, link.network))
            subnets = [one for text in network.subnets if (one := _read(text))] if network else []
            address = _address(link.ipv4)
            if network is None or not subnets or address is None or any(address in one for one in subnets):
                continue
            written = line(service, "networks", link.network, "ipv4_address")
            yield RULE.finding(
                written.place if written is not None else link.place,
                service.name,
                f"has the address {address}, which is not in {' or '.join(map(str, subnets))}",
                arithmetic=f"{address} not in {', '.join(map(str, subnets))}",
                write=_free(subnets[0], taken),
                also=(network.place,),
            )


def _read(text: str) -> _Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _free(subnet: _Network, taken: set[str]) -> str:
    """Return the first address of a subnet that nobody has; the very first is the gateway's."""
    hosts = subnet.hosts()
    next(hosts, None)
    return next((str(one) for one in hosts if str(one) not in taken), "")
