"""What one service is charged on one node, row by row: the same rows as the ledger's, and the slices of cut cards."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayplan.analyse.ledger import Row, asked, disk_rows, ledger
from bayplan.model.names import Name
from bayplan.model.quantity import DISK, GPU_MEMORY

if TYPE_CHECKING:
    from bayplan.model.fleet import Node
    from bayplan.model.service import Service
    from bayplan.plan.form import Form
    from bayplan.plan.order.scene import Scene, Stand

SLICE = "slice:"
"""The slices of a card that is cut are counted too: `slice:1g.10gb/0`."""


@dataclass(frozen=True, slots=True)
class Part:
    """What the copies of a service are charged in a row.

    Attributes:
        service: as it is there.
        amounts: one for each copy.
        shares: whether it is charged together with others that never all run at once.
    """

    service: Service
    amounts: tuple[int, ...]
    shares: bool


class Charges:
    """The charges of a scene, each worked out once."""

    def __init__(self, scene: Scene) -> None:
        """Work out the rows of each node; the charges follow when they are asked for."""
        self.scene = scene
        empty = ledger(scene.to_be, {})
        self.rows = {name: (*empty.of(name), *slices(node)) for name, node in scene.to_be.nodes.items()}
        self._by_name = {(node, row.resource): row for node, rows in self.rows.items() for row in rows}
        self._each: dict[tuple[str, Name, Form], dict[str, int | None]] = {}
        self._volumes: dict[tuple[str, Name, Form], dict[Name, tuple[str, int]]] = {}

    def row(self, node: str, resource: str) -> Row:
        """Return an empty row."""
        return self._by_name[node, resource]

    def parts(self, node: str, name: Name, stand: Stand) -> dict[str, Part]:
        """Return resource → what is charged; rows in which nothing is known, or nothing is asked, are left out."""
        service = self.scene.service(name, stand.form)
        found = {}
        for resource, amount in self.each(node, name, stand.form).items():
            copies = on_row(stand, resource)
            if amount and copies:
                found[resource] = Part(service, (amount,) * copies, self._shares(service, resource))
        return found

    def unbounded(self, node: str, name: Name, stand: Stand) -> set[str]:
        """Return the resources in which nothing is known of a service."""
        each = self.each(node, name, stand.form)
        return {resource for resource, amount in each.items() if amount is None and on_row(stand, resource)}

    def first_limits(self, node: str, name: Name, before: Stand | None, after: Stand | None) -> dict[str, int]:
        """Return what copies that stay are charged only because nothing was known of them: that fills nothing."""
        if before is None or after is None:
            return {}
        newly = self.unbounded(node, name, before) - self.unbounded(node, name, after)
        parts = self.parts(node, name, after) if newly else {}
        return {
            resource: sum(parts[resource].amounts[: on_row(before, resource)])
            for resource in sorted(newly)
            if resource in parts
        }

    def each(self, node: str, name: Name, form: Form) -> dict[str, int | None]:
        """Return resource → what one copy is charged on a node, None where nothing is known."""
        key = (node, name, form)
        if key not in self._each:
            service = self.scene.service(name, form)
            self._each[key] = {
                row.resource: self._asked(service, row) for row in self.rows[node] if not row.resource.startswith(DISK)
            }
        return self._each[key]

    def _asked(self, service: Service, row: Row) -> int | None:
        if row.resource.startswith(SLICE):
            profile = row.resource.removeprefix(SLICE).rpartition("/")[0]
            return int(bool(service.gpu and service.gpu.profile == profile))
        amount = asked(self.scene.to_be, service, row)
        return None if amount is None else amount.amount

    def _shares(self, service: Service, resource: str) -> bool:
        pool = self.scene.to_be.pools.get(service.pool)
        turns = bool(service.gpu and service.gpu.time_group) and resource.startswith(GPU_MEMORY)
        return turns or (pool is not None and pool.scaling == "on-demand" and not resource.startswith(SLICE))

    def volumes(self, node: str, name: Name, form: Form) -> dict[Name, tuple[str, int]]:
        """Return the volumes of a service that count on a disk of a node, each with the disk and its size."""
        key = (node, name, form)
        if key not in self._volumes:
            fleet = self.scene.to_be
            keys = (Name(name.project, one) for one in self.scene.service(name, form).volume_keys)
            self._volumes[key] = {
                volume: (row.resource, row.charges.total)
                for volume in keys
                for row in disk_rows(fleet, fleet.nodes[node], (volume,))
                if row.charges.total
            }
        return self._volumes[key]


def on_row(stand: Stand, resource: str) -> int:
    """Return how many copies count in a row: on a card only those that were given it."""
    if stand.halted:
        return 0
    if not resource.startswith((f"{GPU_MEMORY}/", SLICE)):
        return len(stand.seats)
    card = int(resource.rpartition("/")[2])
    return sum(card in seat.gpus for seat in stand.seats.values())


def slices(node: Node) -> tuple[Row, ...]:
    """Return a row for each kind of slice of each card."""
    return tuple(
        Row(node.name, f"{SLICE}{profile}/{card.index}", many, 0, many)
        for card in node.gpus
        for profile, many in sorted(Counter(card.mig).items())
    )
