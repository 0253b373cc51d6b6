"""What a change of seats means node by node: who stays, who comes, who leaves, and which of them move."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.model.names import Name
    from bayplan.plan.order.scene import Scene


@dataclass(frozen=True, slots=True)
class Here:
    """Copies of one service on one node; copies are interchangeable, their number is what counts.

    Attributes:
        before, after: how many stand here.
        out, came: how many of them move away, and how many move here.
        cards: whether those that stay get other cards.
    """

    before: int
    after: int
    out: int = 0
    came: int = 0
    cards: bool = False

    @property
    def stays(self) -> int:
        """Return how many of those before do not move."""
        return self.before - self.out

    @property
    def wanted(self) -> int:
        """Return how many of those after do not come by a move."""
        return self.after - self.came


def spread(scene: Scene, name: Name, *, moving: bool) -> tuple[dict[str, Here], Mapping[tuple[str, str], int]]:
    """Return node → what becomes of the copies there, and (source, target) → how many move.

    Args:
        scene: both ends.
        name: the service.
        moving: whether copies move; otherwise those that leave are stopped and those that come are started.
    """
    nodes = [node for node in sorted(scene.to_be.nodes) if scene.had(name, node) or scene.gets(name, node)]
    before = {node: len(scene.had(name, node)) for node in nodes}
    after = {node: len(scene.gets(name, node)) for node in nodes}
    moves: Counter[tuple[str, str]] = Counter()
    if moving:
        leave = [node for node in nodes for _ in range(before[node] - after[node])]
        come = [node for node in nodes for _ in range(after[node] - before[node])]
        moves.update(zip(leave, come, strict=False))
    out, came = Counter[str](), Counter[str]()
    for (source, target), many in moves.items():
        out[source] += many
        came[target] += many
    return {
        node: Here(before[node], after[node], out[node], came[node], _cards(scene, name, node)) for node in nodes
    }, moves


def _cards(scene: Scene, name: Name, node: str) -> bool:
    old = Counter(seat.gpus for seat in scene.had(name, node).values())
    new = Counter(seat.gpus for seat in scene.gets(name, node).values())
    return bool(old - new) and bool(new - old)
