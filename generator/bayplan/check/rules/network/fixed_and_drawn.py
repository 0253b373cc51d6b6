"""Networks in which some have a fixed address and others draw theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.analyse import addresses
from bayplan.check.rule import Rule
from bayplan.check.rules.network.address_outside import taken_addresses
from bayplan.finding import Severity
from bayplan.model.names import Name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.model.fleet import Network
    from bayplan.model.service import Service

RULE = Rule("network/fixed-and-drawn", Severity.NOTE)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a note for each such network: who draws may draw the address of one that is just stopped.

    Where a range is said that addresses are drawn from, only the fixed ones inside of it are told.
    """
    fixed: dict[Name, list[Service]] = {}
    drawn: dict[Name, list[Service]] = {}
    for service in survey.services:
        for link in service.networks:
            name = Name(service.name.project, link.network)
            (fixed if link.ipv4 else drawn).setdefault(name, []).append(service)
    taken = taken_addresses(survey)
    for name in sorted(fixed.keys() & drawn.keys()):
        network = survey.fleet.networks.get(name)
        if network is None or network.static_addresses == "drop":
            continue
        subnets = addresses.subnets(network)
        if any(one.drawn is not None for one in subnets):
            yield from _inside(network, fixed[name], taken)
            continue
        if not subnets and not network.external:
            continue
        yield RULE.finding(
            network.place,
            name,
            f"has {len(fixed[name])} services with fixed addresses and {len(drawn[name])} that draw theirs, from the "
            "same range: one that restarts may find its address taken",
            arithmetic=f"fixed: {_few(fixed[name])}; drawn: {_few(drawn[name])}",
            remedy="set ip_range in its ipam config to a part of the subnet without fixed addresses",
        )


def _inside(network: Network, fixed: list[Service], taken: set[str]) -> Iterator[Finding]:
    subnets = addresses.subnets(network)
    links = ((service, link) for service in fixed for link in service.networks if link.network == network.name.name)
    for service, link in links:
        address = addresses.address(link.ipv4)
        here = (one for one in subnets if address is not None and one.drawn is not None and address in one.drawn)
        drawn = next(here, None)
        if address is not None and drawn is not None and not drawn.kept(address):
            yield RULE.finding(
                link.place,
                service.name,
                f"has the address {address} in the range that {network.name} gives addresses from: another may have it",
                arithmetic=f"{address} in ip_range {drawn.drawn}",
                write=addresses.free(network, taken),
                also=(drawn.said["ip_range"][1],),
            )


def _few(some: list[Service]) -> str:
    names = [one.name.name for one in some]
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")  # noqa: PLR2004 - a few
