"""The two sides of a plan: where copies stand today, where the policy would have them, and why they change."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bayplan.model.names import Instance, Name
from bayplan.model.placement import Placement, Seat
from bayplan.plan.change import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bayplan.model.fleet import Fleet, Node
    from bayplan.model.service import Service


def standing(fleet: Fleet, target: Mapping[Instance, Seat] | None = None) -> dict[Instance, Seat]:
    """Return where copies run, or rest as they should, today; a card is known only where the node has one.

    Args:
        fleet: AS-IS, its copies numbered as in `target`.
        target: where copies shall stand. One that does not run counts where it is if it shall stand elsewhere: its
            data has to come along.
    """
    seats = _seats(fleet)
    asked = target or {}
    return {
        one: seat
        for one, seat in seats.items()
        if one not in fleet.idle or (one in asked and asked[one].node != seat.node)
    }


def _seats(fleet: Fleet) -> dict[Instance, Seat]:
    result = {}
    for copy, node in sorted(fleet.standing.items()):
        service = fleet.services.get(copy.service)
        if service is None or not service.active or node not in fleet.nodes:
            continue
        result[copy] = Seat(node, fleet.cards.get(copy) or cards_of(service, fleet.nodes[node]))
    return result


def renumbered(fleet: Fleet, target: Mapping[Instance, Seat]) -> Fleet:
    """Return a fleet whose copies have the numbers that a decision gives to their seats.

    Copies are alike, and a node counts its own from 1: what is told apart is where they stand.
    """
    seats = {one: Seat(node, fleet.cards.get(one, ())) for one, node in fleet.standing.items()}
    several: dict[Name, list[Instance]] = {}
    for one in sorted({*fleet.standing, *fleet.idle}, key=lambda one: (one in fleet.idle, one)):
        several.setdefault(one.service, []).append(one)
    known: dict[Name, list[Instance]] = {}
    for one in sorted(target):
        known.setdefault(one.service, []).append(one)
    new: dict[Instance, Instance] = {}
    for name, copies in several.items():
        wanted = {one: target[one] for one in known.get(name, ())}
        new |= _matched(copies, seats, wanted) if len(copies) > 1 or len(wanted) > 1 else {one: one for one in copies}
    return replace(
        fleet,
        standing=dict(sorted((new[one], node) for one, node in fleet.standing.items())),
        idle=dict(sorted((new[one], why) for one, why in fleet.idle.items())),
        cards=dict(sorted((new[one], cards) for one, cards in fleet.cards.items())),
    )


def _matched(
    copies: Iterable[Instance], seats: Mapping[Instance, Seat], target: Mapping[Instance, Seat]
) -> dict[Instance, Instance]:
    """Return copy → the one that it is: of the same seat if there is one, else of the same node, else any."""
    left = dict(target)
    found: dict[Instance, Instance] = {}

    def take(one: Instance, fitting: Callable[[Seat, Seat], bool]) -> None:
        seat = seats.get(one)
        if one in found or seat is None:
            return
        same = [other for other, wanted in left.items() if fitting(seat, wanted)]
        if same:
            found[one] = one if one in same else same[0]
            del left[found[one]]

    everyone = tuple(copies)
    for fitting in (_same_cards, _same_node):
        for one in everyone:
            take(one, fitting)
    free = iter([*left, *(Instance(everyone[0].service, n) for n in range(1, 2 * len(everyone) + len(target) + 1))])
    for one in everyone:
        if one not in found:
            found[one] = next(number for number in free if number not in found.values())
    return found


def _same_cards(seat: Seat, wanted: Seat) -> bool:
    return seat == wanted


def _same_node(seat: Seat, wanted: Seat) -> bool:
    return seat.node == wanted.node


def cards_of(service: Service, node: Node) -> tuple[int, ...]:
    """Return the cards that Docker gives a service today: those it names, all, or the first ones."""
    ask = service.gpu
    if ask is None:
        return ()
    named = [card.index for card in node.gpus if str(card.index) in ask.device_ids or card.uuid in ask.device_ids]
    wanted = len(node.gpus) if ask.access < 0 else max(1, ask.access, ask.count)
    if len(named) == wanted:
        return tuple(named)
    return tuple(card.index for card in node.gpus[:wanted])


def wished(fleet: Fleet) -> Placement:
    """Return where the policy would have everything, though it cannot hold: fixed nodes, today's, the only one."""
    seats = {}
    only = next(iter(fleet.nodes)) if len(fleet.nodes) == 1 else ""
    for copy in fleet.instances():
        node = fleet.services[copy.service].placement.only or fleet.standing.get(copy, only)
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
        idle = [fleet.idle[one] for one in sorted(fleet.idle) if one.service == name]
        said = {
            Kind.START: idle[0] if idle else "",
            Kind.SCALE: idle[0] if idle else "",
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
