"""Cards whose VRAM nobody divides: several copies on one, and some of them do not say how much they need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.analyse import cards
from bayplan.analyse.pools import together
from bayplan.finding import Finding, warning
from bayplan.model.quantity import GPU_MEMORY
from bayplan.model.units import MIB, in_policy, show_bytes
from bayplan.place.conflict.amend import show
from bayplan.place.exact.seats import only_access

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bayplan.model.fleet import Fleet, Gpu, Node
    from bayplan.model.names import Instance, Name
    from bayplan.model.placement import Seat
    from bayplan.model.service import Service

_STEP = 256 * MIB


def vram_unsaid(fleet: Fleet, seats: Mapping[Instance, Seat]) -> Iterator[Finding]:
    """Yield each card that several copies share, some of which say no VRAM; linear in the copies."""
    users: dict[tuple[str, int], list[Instance]] = {}
    for copy, seat in sorted(seats.items()):
        for index in seat.gpus:
            users.setdefault((seat.node, index), []).append(copy)
    for name, node in sorted(fleet.nodes.items()):
        told: set[Name] = set()
        for card in sorted(node.gpus, key=lambda one: one.index):
            here = users.get((name, card.index), [])
            unsaid = [one for one in here if _says_nothing(fleet.services[one.service])]
            # Who sees all cards of a node is told at the first of them.
            if len(here) > 1 and not told.issuperset(one.service for one in unsaid):
                told.update(one.service for one in unsaid)
                yield _finding(fleet, node, card, here, unsaid)


def _says_nothing(service: Service) -> bool:
    return service.gpu is not None and only_access(service.gpu)


def _finding(fleet: Fleet, node: Node, card: Gpu, users: list[Instance], unsaid: list[Instance]) -> Finding:
    said = [(service, service.gpu.memory) for one in users if (service := fleet.services[one.service]).gpu]
    taken, room = together(fleet, GPU_MEMORY, said), cards.room(node, card)
    each = max(0, room - taken) // len(unsaid) // _STEP * _STEP
    services = sorted({str(one.service): fleet.services[one.service] for one in unsaid}.items())
    size = in_policy(GPU_MEMORY, each)
    places = [service.gpu.place for _, service in services if service.gpu]
    return warning(
        "gpu/vram-unsaid",
        places[0],
        node.name,
        f"{len(users)} copies share card {card.index} of {node.name}, and {len(unsaid)} of them say no VRAM",
        "with what they really need" if each else f"services: {{{services[0][0]}: {{gpu: 2GiB}}}}, on a card with room",
        arithmetic=f"unsaid: {', '.join(map(str, unsaid))}; {show_bytes(taken)} said of {show_bytes(room)}",
        also=tuple(dict.fromkeys(one for one in places[1:] if one != places[0])),
        paste=show(("services",), {name: {"gpu": size} for name, _ in services}) if each else "",
    )
