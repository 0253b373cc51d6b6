"""The two sides of a plan: where copies stand today, where the policy would have them, and why they change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.model.names import Name
from bayplan.model.placement import Placement, Seat
from bayplan.plan.change import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayplan.model.fleet import Fleet, Node
    from bayplan.model.names import Instance
    from bayplan.model.service import Service


def standing(fleet: Fleet) -> dict[Instance, Seat]:
    """Return where copies stand today; a card is known only where the node has one."""
    result = {}
    for copy, node in sorted(fleet.standing.items()):
        service = fleet.services.get(copy.service)
        if service is None or not service.active or node not in fleet.nodes:
            continue
        result[copy] = Seat(node, cards_of(service, fleet.nodes[node]))
    return result


def cards_of(service: Service, node: Node) -> tuple[int, ...]:
    """Return the cards that Docker gives a service today: those it names, all, or the first ones."""
    ask = service.gpu
    if ask is None:
        return ()
    named = [card.index for card in node.gpus if str(card.index) in ask.device_ids or card.uuid in ask.device_ids]
    if named:
        return tuple(named)
    wanted = len(node.gpus) if ask.access < 0 else max(1, ask.access, ask.count)
    return tuple(card.index for card in node.gpus[:wanted])


def wished(fleet: Fleet) -> Placement:
    """Return where the policy would have everything, though it cannot hold: fixed nodes, else today's."""
    seats = {}
    for copy in fleet.instances():
        node = fleet.services[copy.service].placement.node or fleet.standing.get(copy, "")
        if node:
            seats[copy] = Seat(node, cards_of(fleet.services[copy.service], fleet.nodes[node]))
    return Placement(seats)


def reasons(fleet: Fleet, placement: Placement) -> Callable[[Kind, Name], str]:
    """Return what gives the reason of a change: the policy's words for it, else the decision's."""
    decided = {copy.service: reason for copy, reason in placement.reasons.items()}

    def why(kind: Kind, name: Name) -> str:
        service = fleet.services.get(name)
        if service is None:
            return "no source has it any more"
        sized = service.changed.get("limits") or service.changed.get("requests") or ""
        pool = fleet.pools.get(service.pool)
        said = {
            Kind.RESIZE: sized,
            Kind.MOVE: service.placement.why or decided.get(name, ""),
            Kind.SCHEDULE: pool.why if pool else "",
        }
        return said.get(kind, "") or service.why

    return why


def carried(fleet: Fleet) -> dict[Name, int]:
    """Return the bytes of known size that a move of each service carries."""
    amounts = {}
    for name, service in fleet.services.items():
        volumes = (fleet.volumes.get(Name(name.project, key)) for key in service.volume_keys)
        sizes = (one.size.amount for one in volumes if one and one.size and one.on_move == "carry")
        amounts[name] = sum(sizes)
    return amounts
