"""Networks of one machine that want the same addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.analyse import addresses
from bayplan.check.rule import Rule
from bayplan.check.rules.network.external_elsewhere import nodes_of_networks
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.analyse.addresses import Subnet
    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.model.fleet import Network
    from bayplan.model.names import Name

RULE = Rule("network/subnets-overlap", Severity.ERROR)
_Made = tuple[int, int, str, "Network", "Subnet"]


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each network whose subnet another one has already, on a node where both are made.

    Of subnets in order of their first address, one that overlaps any before it overlaps the one that ends last.
    """
    where = nodes_of_networks(survey)
    told: set[tuple[str, str]] = set()
    for node, made in sorted(_made(survey, where).items()):
        last: _Made | None = None
        for one in sorted(made, key=lambda each: (each[0], -each[1], str(each[3].name))):
            _, end, real_name, network, subnet = one
            if last is None or one[0] > last[1]:
                last = one
                continue
            pair = (min(real_name, last[2]), max(real_name, last[2]))
            if real_name != last[2] and pair not in told:
                told.add(pair)
                yield RULE.finding(
                    subnet.place,
                    network.name,
                    f"has the subnet {subnet.subnet}, of which {last[3].name} has addresses too: Docker makes only one "
                    f"of them on {node}",
                    arithmetic=f"{subnet.subnet} overlaps {last[4].subnet}",
                    remedy="give one of them another subnet",
                    also=(last[4].place,),
                )
            last = one if end > last[1] else last


def _made(survey: Survey, where: dict[Name, set[str]]) -> dict[str, list[_Made]]:
    """Return node → the subnets of the networks that are made there; on a LAN several may be parts of one."""
    found: dict[str, dict[tuple[str, str], _Made]] = {}
    for name, network in survey.fleet.networks.items():
        if network.external or addresses.is_on_lan(network) or network.driver not in ("", "bridge"):
            continue
        for one in addresses.subnets(network):
            first, last = int(one.subnet.network_address), int(one.subnet.broadcast_address)
            made = (first, last, network.real_name, network, one)
            for node in where.get(name, ()):
                found.setdefault(node, {}).setdefault((network.real_name, str(one.subnet)), made)
    return {node: list(some.values()) for node, some in found.items()}
