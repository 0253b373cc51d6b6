"""Fixed addresses that Docker keeps for the network itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.analyse import addresses
from bayplan.check.rule import Rule
from bayplan.check.rules.network.address_outside import fixed, taken_addresses
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding

RULE = Rule("network/address-reserved", Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each fixed address that is the gateway's, the subnet's own or the broadcast's."""
    taken = taken_addresses(survey)
    for service, link, network in fixed(survey):
        address = addresses.address(link.ipv4)
        subnet = next(
            (one for one in addresses.subnets(network) if address is not None and address in one.subnet), None
        )
        kept = subnet.kept(address) if subnet is not None and address is not None else ""
        if not kept or subnet is None:
            continue
        yield RULE.finding(
            link.place,
            service.name,
            f"has the address {address}, which is {kept} on {network.name}: Docker gives it to no container",
            arithmetic=f"{address} is {kept} in {subnet.subnet}",
            write=addresses.free(network, taken),
            also=(subnet.said["gateway"][1] if "gateway" in subnet.said else subnet.place,),
        )
