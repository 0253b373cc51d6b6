"""Which value wins: the layers of a service, leaf by leaf.

A layer is the map that one policy key gives to a service (`defaults`, a tier's defaults, a pattern, a name). Layers of
one strength may not contradict each other, so the order of files and keys never decides; a stronger layer replaces a
weaker one leaf by leaf, and `null` takes back what weaker layers said.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from bayplan.finding import Finding, error

if TYPE_CHECKING:
    from bayplan.source import Node

Path = tuple[str, ...]
WHY = "why"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value that a layer gives: the node, the layer's name, and the nearest `why`."""

    node: Node
    layer: str
    why: str


Leaves = Mapping[Path, Leaf]


def leaves(layer: str, node: Node) -> dict[Path, Leaf]:
    """Return the leaves of a layer by their path; lists are leaves, an empty map is one too."""
    return {path: Leaf(leaf, layer, why) for path, leaf, why in _flatten(node, (), "")}


def _flatten(node: Node, path: Path, why: str) -> Iterator[tuple[Path, Node, str]]:
    if not node.is_map or (path and not node.value):
        yield path, node, why
        return
    reason = node.get(WHY)
    here = reason.string if reason is not None else why
    for key, child in node.items():
        if key != WHY and not key.startswith("x-"):
            yield from _flatten(child, (*path, key), here)


def same_strength(
    subject: str, layers: Iterable[Leaves], settled: Collection[Path] = ()
) -> tuple[Leaves, list[Finding]]:
    """Join layers of one strength. Two that give one key different values are an error naming both places.

    Args:
        subject: the service.
        layers: its layers.
        settled: paths that a stronger layer says anyway: there is nothing to contradict each other about.
    """
    joined: dict[Path, Leaf] = {}
    below: dict[Path, Leaf] = {}
    findings: list[Finding] = []
    for layer in layers:
        for path, leaf in layer.items():
            rival = below.get(path) or next((joined[above] for above in _ways(path) if above in joined), None)
            if rival is None:
                joined[path] = leaf
                for above in _ways(path):
                    below.setdefault(above, leaf)
            elif not _agree(joined.get(path), leaf) and not any(_covers(one, path) for one in settled):
                findings.append(_conflict(subject, path, rival, leaf))
    return joined, findings


def _ways(path: Path) -> tuple[Path, ...]:
    """Return a path and all that it leads through, the shortest first."""
    return tuple(path[:steps] for steps in range(len(path) + 1))


def _agree(known: Leaf | None, leaf: Leaf) -> bool:
    return known is not None and _text(known.node) == _text(leaf.node)


def _text(node: Node) -> str:
    return repr([_text(child) for child in node]) if node.is_list else f"{node.tag}{node.value!r}"


def _conflict(subject: str, path: Path, first: Leaf, second: Leaf) -> Finding:
    if second.node.here < first.node.here:
        first, second = second, first
    message = (
        f"'{first.layer}' and '{second.layer}' give {'.'.join(path)} different values "
        f"({_words(first.node)} at {first.node.here}, {_words(second.node)})"
    )
    remedy = f"narrow one of them, or say it under {first.layer.partition('.')[0]}.{subject}"
    return error("policy/two-patterns", second.node.here, subject, message, remedy, also=(first.node.here,))


def _words(node: Node) -> str:
    if node.is_list:
        return f"[{', '.join(_words(child) for child in node)}]"
    return "{…}" if node.is_map else node.string or "nothing"


class Stack(dict[Path, Leaf]):
    """What remains of layers that were laid on each other: leaves by their path."""

    @cached_property
    def _below(self) -> dict[str, dict[Path, Leaf]]:
        found: dict[str, dict[Path, Leaf]] = {}
        for path, leaf in self.items():
            if path:
                found.setdefault(path[0], {})[path[1:]] = leaf
        return found

    def under(self, key: str) -> Leaves:
        """Return the leaves below a key, with the key taken off; the leaf at the key itself has the path ()."""
        return self._below.get(key, {})


_SAME = (("placement", ("node", "nodes")), ("gpu", ("memory", "count", "profile")))
_INSTEAD: dict[Path, tuple[Path, ...]] = {
    (key, word): tuple((key, other) for other in words if other != word) for key, words in _SAME for word in words
}
"""What says one thing in other words: `placement: n1` takes back `placement: {nodes: [n2]}` of a weaker layer."""


def stack(layers: Iterable[Leaves]) -> Stack:
    """Return the leaves that remain when each layer is laid over the ones before it, weakest first.

    A `null` stays below what stronger layers say under it: `limits: null` still takes back what the Compose file said
    where a stronger layer states `limits.memory`.
    """
    lowest, *others = [layer for layer in layers if layer] or [{}]
    result = Stack(lowest)
    led_through = {way for path in lowest for way in _ways(path)[:-1]} if others else set()
    for layer in others:
        for path in [one for one, leaf in layer.items() if one in _INSTEAD and leaf.node.value is not None]:
            for other in _INSTEAD[path]:
                result.pop(other, None)
        for path, leaf in layer.items():
            result.pop(path, None)
            below = [known for known in result if _covers(path, known)] if path in led_through else []
            above = _ways(path)[:-1]
            for known in (*below, *(one for one in above if one in result and result[one].node.value is not None)):
                del result[known]
            result[path] = leaf
            led_through.update(above)
    return result


def taken_back(found: Leaves) -> bool:
    """Whether a `null` is the last word about what is below a path (see `Stack.under`)."""
    return set(found) == {()} and found[()].node.value is None


def _covers(path: Path, other: Path) -> bool:
    return len(path) <= len(other) and other[: len(path)] == path
