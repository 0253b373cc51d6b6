"""Changes that answer questions: does it restart, is it down, how is it undone."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from bayplan.plan.words import changed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.model.names import Name
    from bayplan.model.placement import Seat


ON_DEMAND = "on-demand"
"""The mode of who runs only while somebody asks for it."""


class Kind(StrEnum):
    """What a change does; the words of `rollout.stages[].changes`."""

    STOP = "stop"
    RESIZE = "resize"
    RECREATE = "recreate"
    SCALE = "scale"
    SCHEDULE = "schedule"
    MOVE = "move"
    START = "start"

    @property
    def symbol(self) -> str:
        """Return the mark that stands before a change in a list."""
        return _SYMBOLS[self]

    @property
    def restarts(self) -> bool:
        """Whether containers are replaced."""
        return self in (Kind.RECREATE, Kind.MOVE)


_SYMBOLS = {
    Kind.STOP: "-",
    Kind.RESIZE: "~",
    Kind.RECREATE: "-/+",
    Kind.SCALE: "*",
    Kind.SCHEDULE: "z",
    Kind.MOVE: ">",
    Kind.START: "+",
}


@dataclass(frozen=True, slots=True)
class Detail:
    """One value that changes; None stands for nothing said."""

    key: str
    before: Any
    after: Any

    def words(self) -> str:
        """Return `limits.memory 6 GiB → 3 GiB`; empty if there is nothing to tell."""
        return changed(self.key, self.before, self.after)


@dataclass(frozen=True, slots=True)
class Change:
    """One step from AS-IS towards TO-BE, of one service.

    Attributes:
        kind: what it does.
        service: to whom.
        before, after: copy number → seat, where seats change (move, start, stop, scale).
        details: the values that change.
        mode: the mode after a schedule change.
        why: the reason that the policy gives, or what forces it.
        bytes_moved: data that a move carries, as far as it is known.
    """

    kind: Kind
    service: Name
    before: Mapping[int, Seat] = field(default_factory=dict)
    after: Mapping[int, Seat] = field(default_factory=dict)
    details: tuple[Detail, ...] = ()
    mode: str = ""
    why: str = ""
    bytes_moved: int = 0

    @property
    def node(self) -> str:
        """Return the node it happens on; for a move, where the service stands before."""
        seats = self.before or self.after
        return ", ".join(sorted({seat.node for seat in seats.values()}))

    @property
    def target(self) -> str:
        """Return the node a service stands on afterwards."""
        seats = self.after or self.before
        return ", ".join(sorted({seat.node for seat in seats.values()}))

    @property
    def restarts(self) -> int:
        """Return how many containers are replaced."""
        return len(self.after) if self.kind.restarts else 0

    @property
    def renews(self) -> bool:
        """Whether the settings, the cards or the number of copies change: containers come from another file then."""
        if self.kind is Kind.SCHEDULE:
            return bool(self.details) or self.before != self.after
        return self.kind in (Kind.RECREATE, Kind.MOVE, Kind.SCALE)

    @property
    def downtime(self) -> str:
        """Return what users notice, in words."""
        return {
            Kind.RESIZE: "none: live",
            Kind.SCALE: "none for the copies that stay",
            Kind.SCHEDULE: "until it is asked for",
            Kind.RECREATE: "one restart",
            Kind.MOVE: "stop, last copy of the data, start",
            Kind.START: "none",
            Kind.STOP: "it is gone",
        }[self.kind]

    @property
    def undo(self) -> str:
        """Return how it is taken back, in words."""
        return {
            Kind.RESIZE: "the old limits, live",
            Kind.SCALE: "the old number of copies",
            Kind.SCHEDULE: "start it and keep it running",
            Kind.RECREATE: "recreate from the old file",
            Kind.MOVE: f"move back to {self.node} with the current data",
            Kind.START: "stop it",
            Kind.STOP: "start it from the old file",
        }[self.kind]
