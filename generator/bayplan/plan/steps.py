"""Steps in waves: the order in which a plan is carried out, as values.

A wave is what one play does. Its nodes work side by side, each through its own list; a move takes two nodes and is a
wave of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.model.fleet import Volume
    from bayplan.model.names import Name


class Act(StrEnum):
    """What a step does to a service on a node."""

    RESIZE = "resize"
    REST = "rest"
    STOP = "stop"
    SCALE = "scale"
    RECREATE = "recreate"
    MOVE = "move"
    START = "start"


@dataclass(frozen=True, slots=True)
class Shape:
    """A service on one node, before or after a step.

    Attributes:
        sizes: `limits.memory`, `requests.cpus`, … → amount for one copy.
        made: whether its containers come from the plan's files.
    """

    sizes: Mapping[str, int] = field(default_factory=dict)
    made: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that is done to one service on one node.

    Attributes:
        id: `wave.node.n`.
        kind: what is done.
        service, node: to whom, where; a move's step stands on the node that it leaves.
        copies: how many copies stand on the node afterwards, for a move on the target; for a stop, how many leave.
        before, after: its shape; None where it is not there.
        why: the reason that the policy gives, or what forces it.
        restarts: how many containers are replaced.
        downtime, undo: what users notice, and how it is taken back, in words.
        charge: what one copy is charged afterwards (for a stop: until now); None where nothing is known.
    """

    id: str
    kind: Act
    service: Name
    node: str
    copies: int
    before: Shape | None = None
    after: Shape | None = None
    why: str = ""
    restarts: int = 0
    downtime: str = ""
    undo: str = ""
    charge: Mapping[str, int | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Move:
    """Services that go from one node to another together, because they share data, a network or a rule.

    Attributes:
        source, target: from where to where.
        steps: the services, in the order in which they start.
        volumes: the named volumes that are carried.
        paths: files and folders that are carried beside them: absolute, the same on both nodes.
        stateful: whether they write to what is carried, so that two of them may never run.
        stop_first: whether an earlier wave has stopped them to make room.
    """

    source: str
    target: str
    steps: tuple[Step, ...]
    volumes: tuple[Volume, ...] = ()
    paths: tuple[str, ...] = ()
    stateful: bool = False
    stop_first: bool = False

    @property
    def bytes(self) -> int:
        """Return the bytes that are carried, as far as sizes are known."""
        return sum(volume.size.amount for volume in self.volumes if volume.size)


@dataclass(frozen=True, slots=True)
class Wave:
    """What one play does.

    Attributes:
        number: counted from 1 over the whole plan.
        stage: the stage that it belongs to.
        kind: what all of its steps do.
        why: what it is about, in the words of a play's name.
        nodes: node → its steps in order; empty for a move.
        move: the move, or None.
    """

    number: int
    stage: str
    kind: Act
    why: str
    nodes: Mapping[str, tuple[Step, ...]] = field(default_factory=dict)
    move: Move | None = None

    @property
    def steps(self) -> tuple[Step, ...]:
        """Return all steps, by node and in order."""
        if self.move is not None:
            return self.move.steps
        return tuple(step for _, steps in sorted(self.nodes.items()) for step in steps)

    @property
    def where(self) -> str:
        """Return the nodes, or from where to where."""
        return f"{self.move.source} → {self.move.target}" if self.move else ", ".join(sorted(self.nodes))

    @property
    def restarts(self) -> int:
        """Return how many containers are replaced."""
        return sum(step.restarts for step in self.steps)

    @property
    def downtime(self) -> str:
        """Return what users notice: what its steps say, each thing once."""
        return "; ".join(dict.fromkeys(step.downtime for step in self.steps))

    @property
    def bytes_moved(self) -> int:
        """Return the bytes that are carried, as far as sizes are known."""
        return self.move.bytes if self.move else 0
