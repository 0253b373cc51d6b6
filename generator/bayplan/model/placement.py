"""The decision: which instance stands on which node, and on which card."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.model.names import Instance


@dataclass(frozen=True, slots=True)
class Seat:
    """Where an instance stands: a node, and the indices of the cards it was given there."""

    node: str
    gpus: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Placement:
    """Instance → seat, with the reason where a seat differs from today's, and what was proven about the whole."""

    seats: Mapping[Instance, Seat] = field(default_factory=dict)
    reasons: Mapping[Instance, str] = field(default_factory=dict)
    optimal: bool = False

    def on(self, node: str) -> tuple[Instance, ...]:
        """Return the instances on a node, by name."""
        return tuple(sorted(one for one, seat in self.seats.items() if seat.node == node))
