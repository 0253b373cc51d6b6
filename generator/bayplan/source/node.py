"""The value that every reader works on: a YAML tree whose parts know where they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bayplan.finding import Finding, error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.finding import Place

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Node:
    """A scalar, a mapping or a sequence with its place.

    Attributes:
        value: a scalar, a `dict[str, Node]` or a `tuple[Node, ...]`.
        place: where the value stands.
        key: where its key stands, if it is the value of a mapping.
        tag: an explicit local tag such as `!override` or `!reset`, else empty.
        text: a plain scalar as it was written (`012`, `1.50`), else empty.
    """

    value: Any
    place: Place
    key: Place | None = None
    tag: str = ""
    text: str = ""

    @property
    def is_map(self) -> bool:
        """Whether this is a mapping."""
        return isinstance(self.value, dict)

    @property
    def is_list(self) -> bool:
        """Whether this is a sequence."""
        return isinstance(self.value, tuple)

    @property
    def here(self) -> Place:
        """Return the place of the key if there is one, else of the value: what a finding points at."""
        return self.key or self.place

    def get(self, key: str) -> Node | None:
        """Return the child under `key`, or None if there is none or this is no mapping."""
        return self.value.get(key) if isinstance(self.value, dict) else None

    def items(self) -> tuple[tuple[str, Node], ...]:
        """Return the pairs of a mapping, in the order they were written; nothing for anything else."""
        return tuple(self.value.items()) if isinstance(self.value, dict) else ()

    def __iter__(self) -> Iterator[Node]:
        """Iterate over the items of a sequence; over nothing for anything else."""
        return iter(self.value if isinstance(self.value, tuple) else ())

    def with_value(self, value: Any) -> Node:
        """Return the same node, at the same place, with another value."""
        return Node(value, self.place, self.key, self.tag, self.text)

    @property
    def string(self) -> str:
        """Return a scalar as text: as it was written if that is known."""
        if isinstance(self.value, str):
            return self.value
        if self.text:
            return self.text
        if isinstance(self.value, bool):
            return "true" if self.value else "false"
        return "" if self.value is None else str(self.value)


def plain(node: Node) -> Any:
    """Return the tree as plain dicts, lists and scalars."""
    value = node.value
    if isinstance(value, dict):
        return {key: plain(child) for key, child in value.items()}
    if isinstance(value, tuple):
        return [plain(child) for child in value]
    return value


def every(node: Node) -> Iterator[Node]:
    """Yield every node of the tree, in no particular order; quicker than `walk`."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        if isinstance(one.value, dict):
            waiting.extend(one.value.values())
        elif isinstance(one.value, tuple):
            waiting.extend(one.value)


def walk(node: Node, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Node]]:
    """Yield every node of the tree with its path, parents first."""
    yield path, node
    if node.is_map:
        for key, child in node.items():
            yield from walk(child, (*path, key))
    elif node.is_list:
        for index, child in enumerate(node):
            yield from walk(child, (*path, index))


MAX_VALUES = 1_000_000
"""Values that one reading handles in all: what many files, or one that is named many times, may hold together."""


@dataclass(slots=True)
class Budget:
    """How many values may still be handled: a file that is named a thousand times is handled a thousand times."""

    left: int = MAX_VALUES

    def covers(self, node: Node) -> bool:
        """Take the values of a tree, and return whether there were enough left."""
        rest: list[Node] = [node] if self.left >= 0 else []
        while rest and self.left >= 0:
            self.left -= 1
            value = rest.pop().value
            if isinstance(value, dict):
                rest.extend(value.values())
            elif isinstance(value, tuple):
                rest.extend(value)
        return self.left >= 0

    def take(self, values: int) -> bool:
        """Take a number of values, and return whether there were enough left."""
        self.left = max(-1, self.left - values)
        return self.left >= 0

    @staticmethod
    def refusal(place: Place, subject: str) -> Finding:
        """Return the finding for what there were not enough left for."""
        message = f"is one file too many: all together hold more than {MAX_VALUES:,} values, each time they are named"
        return error("source/too-many-values", place, subject, message, "split the policy, or name each file once")
