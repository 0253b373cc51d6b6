"""A network for each lab: a /24 that nothing on this machine uses."""

from __future__ import annotations

import ipaddress
import json
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from .process import LabError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .engine import Engine

LABEL = "bayplan.lab"
REGISTRY, FIRST = 2, 11
"""Host numbers in the /24: the registry's, and the first node's."""


def candidates(name: str) -> Iterator[ipaddress.IPv4Network]:
    """Yield networks to try: a name begins at the same one each time, so that its addresses seldom change.

    10.200.0.0 and 10.201.0.0 are spoken for: nodes give them to their own containers.
    """
    begin = zlib.crc32(name.encode())
    for step in range(256):
        yield ipaddress.IPv4Network(f"172.31.{(begin + step) % 256}.0/24")
    for step in range(100 * 256):
        second, third = divmod((begin + step) % (100 * 256), 256)
        yield ipaddress.IPv4Network(f"10.{second + 100}.{third}.0/24")


def create(engine: Engine, name: str) -> ipaddress.IPv4Network:
    """Create the lab's network and return its addresses."""
    taken = [*_routes(), *_networks(engine)]
    for network in candidates(name):
        if any(network.overlaps(one) for one in taken):
            continue
        made = engine("network", "create", "--label", f"{LABEL}={name}", "--subnet", str(network), name, check=False)
        if not made.returncode:
            return network
        if "verlap" not in made.stderr:  # what neither routes nor this engine know of, only its refusal tells
            raise LabError(f"The network of lab {name} could not be made: {made.stderr}")
    raise LabError(f"No free /24 for lab {name}; see `status` for labs that nobody needs any more.")


def find(engine: Engine, name: str) -> ipaddress.IPv4Network | None:
    """Return the addresses of a lab that is up."""
    said = engine("network", "inspect", name, check=False)
    return next(_subnets(said.stdout), None) if not said.returncode else None


def labs(engine: Engine) -> list[str]:
    """Return the names of all labs that are up."""
    return sorted(engine.lines("network", "ls", "--filter", f"label={LABEL}", "--format", "{{.Name}}"))


def _networks(engine: Engine) -> Iterator[ipaddress.IPv4Network]:
    ids = engine.lines("network", "ls", "--quiet")
    yield from _subnets(engine("network", "inspect", *ids, check=False).stdout)


def _subnets(inspected: str) -> Iterator[ipaddress.IPv4Network]:
    for one in json.loads(inspected):
        for pool in one["IPAM"]["Config"] or []:
            network = ipaddress.ip_network(pool["Subnet"], strict=False)
            if isinstance(network, ipaddress.IPv4Network):
                yield network


def _routes() -> Iterator[ipaddress.IPv4Network]:
    """Yield where this machine itself sends packets; the default route takes nothing away."""
    for line in Path("/proc/net/route").read_text(encoding="ascii").splitlines()[1:]:
        words = line.split()
        address, mask = (int.from_bytes(bytes.fromhex(words[at]), "little") for at in (1, 7))
        if mask:
            yield ipaddress.IPv4Network((address, mask.bit_count()), strict=False)
