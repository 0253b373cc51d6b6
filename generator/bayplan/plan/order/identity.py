"""What only one service of a node can have: a published port, a container's name, a fixed address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.analyse.ports import published
from bayplan.model.names import Name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bayplan.model.fleet import Network
    from bayplan.model.service import Port
    from bayplan.plan.order.scene import Scene, Stand

Mark = tuple[str, str, str]
"""Kind, what, and for a port the address that it is bound to."""
_ANYWHERE = {"", "0.0.0.0", "::"}  # noqa: S104 - compared with, never bound to


def marks(scene: Scene, name: Name, node: str, stand: Stand | None) -> frozenset[Mark]:
    """Return what a service has to itself on a node; who is stopped for a while keeps only its name."""
    if stand is None:
        return frozenset()
    service = scene.service(name, stand.form)
    found = {("name", service.container_name, "")} if service.container_name else set()
    if stand.halted:
        return frozenset(found)
    found |= {_port(port) for port in published(service)}
    for joined in service.networks:
        network = scene.to_be.networks.get(Name(name.project, joined.network))
        if joined.ipv4 and not (stand.form.made and _dropped(scene, network, name, node)):
            real = network.real_name if network and network.real_name else f"{name.project}_{joined.network}"
            found.add(("address", f"{joined.ipv4} of {real}", ""))
    return frozenset(found)


def _port(port: Port) -> Mark:
    return ("port", f"{port.published}/{port.protocol}", port.host_ip)


def _dropped(scene: Scene, network: Network | None, name: Name, node: str) -> bool:
    rule = network.static_addresses if network else "keep"
    return rule == "drop" or (rule == "drop-when-moved" and not scene.had(name, node))


def clash(one: Mark, other: Mark) -> bool:
    """Whether two services with these cannot run on one node."""
    if one[:2] != other[:2]:
        return False
    return one[0] != "port" or one[2] == other[2] or bool(_ANYWHERE & {one[2], other[2]})


def first_clash(wanted: Iterable[Mark], taken: Iterable[tuple[Name, Iterable[Mark]]]) -> tuple[Mark, Name] | None:
    """Return the first mark that somebody else has already, and who that is."""
    for name, others in taken:
        for mark in sorted(wanted):
            if any(clash(mark, other) for other in others):
                return mark, name
    return None
