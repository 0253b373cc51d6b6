"""What goes wrong on a node, said so that somebody can act on it."""

from __future__ import annotations

from typing import Any


class NodeError(Exception):
    """A step that was refused or failed.

    Attributes:
        outcome: the name of the end, where it has one: `locked`, `rolled-back`, `held`.
        data: what is returned beside the sentence.
    """

    def __init__(self, message: str, remedy: str = "", outcome: str = "", **data: Any) -> None:
        super().__init__(f"{message}; {remedy}" if remedy else message)
        self.outcome = outcome
        self.data = data


LOCKED = "locked"
ROLLED_BACK = "rolled-back"
HELD = "held"
