"""Addresses of networks: their subnets, what Docker keeps of them for itself, and which are free."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from bayplan.finding import NOWHERE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from bayplan.finding import Place
    from bayplan.model.fleet import Ipam, Network

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Range = ipaddress.IPv4Network | ipaddress.IPv6Network
_ON_THE_LAN = frozenset({"macvlan", "ipvlan"})
_LOOKED_AT = 70_000
"""How many addresses are tried for a free one: more than a network of Docker has containers."""


@dataclass(frozen=True, slots=True)
class Subnet:
    """One entry of a network's `ipam: config:`.

    Attributes:
        subnet: its addresses.
        said: key (`gateway`, `ip_range`) → what is written there, as an address or a range, with its place.
        place: where the subnet is written.
    """

    subnet: Range
    said: Mapping[str, tuple[Address | Range, Place]]
    place: Place

    @property
    def gateway(self) -> Address | None:
        """Return the gateway: the one that is said, or else the first address, which Docker takes."""
        found = self.said.get("gateway")
        if found is not None:
            return found[0] if not isinstance(found[0], Range) else None
        return next(self.subnet.hosts(), None)

    @property
    def drawn(self) -> Range | None:
        """Return the range that addresses are drawn from, if it is said."""
        found = self.said.get("ip_range")
        return found[0] if found is not None and isinstance(found[0], Range) else None

    def kept(self, address: Address) -> str:
        """Return what an address is kept for, or the empty string: the gateway's, the subnet's own, the broadcast's."""
        if address == self.gateway:
            return "the gateway's"
        if address.version == 4 and self.subnet.num_addresses > 2:  # noqa: PLR2004 - of IPv4, and no link of two
            ends = {self.subnet.network_address: "the subnet's own", self.subnet.broadcast_address: "the broadcast's"}
            return ends.get(address, "")
        return ""


def subnets(network: Network) -> tuple[Subnet, ...]:
    """Return the subnets of a network that can be read, in the order of the file."""
    return tuple(one for entry in network.ipam if (one := _subnet(entry)) is not None)


def _subnet(entry: Ipam) -> Subnet | None:
    subnet = ranged(entry.subnet)
    if subnet is None:
        return None
    read = {"gateway": address(entry.gateway), "ip_range": ranged(entry.ip_range)}
    said = {key: (value, entry.places.get(key, NOWHERE)) for key, value in read.items() if value is not None}
    return Subnet(subnet, said, entry.places.get("subnet", NOWHERE))


def ranged(text: str) -> Range | None:
    """Return a subnet such as `10.1.0.0/24`, or None if it is none."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def address(text: str) -> Address | None:
    """Return an address, or None if it is none."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def inside(one: Address | Range, subnet: Range) -> bool:
    """Whether an address, or all of a range, belongs to a subnet."""
    if isinstance(one, Address):
        return one in subnet
    return one.version == subnet.version and one.network_address in subnet and one.broadcast_address in subnet


def free(network: Network, taken: Collection[str]) -> str:
    """Return the first address of a network that nobody has, and that is not drawn; empty if there is none.

    Args:
        network: with its subnets.
        taken: addresses that are given already.
    """
    for one in subnets(network):
        for found in islice(_hosts(one), _LOOKED_AT):
            if str(found) not in taken and not one.kept(found):
                return str(found)
    return ""


def _hosts(one: Subnet) -> Iterator[Address]:
    drawn = one.drawn
    outside = (found for found in one.subnet.hosts() if drawn is None or found not in drawn)
    first = next(outside, None)
    if first is None or drawn == one.subnet:
        yield from one.subnet.hosts()
        return
    yield first
    yield from outside


def is_on_lan(network: Network) -> bool:
    """Whether the containers of a network stand in the network of the machines themselves (macvlan, ipvlan)."""
    return network.driver in _ON_THE_LAN


def option(network: Network, key: str) -> str:
    """Return an option of a network's driver, such as `parent`."""
    options: Any = network.body.get("driver_opts") or {}
    return str(options.get(key) or "") if isinstance(options, dict) else ""
