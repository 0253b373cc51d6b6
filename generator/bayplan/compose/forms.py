"""The forms that Compose knows for one thing, each turned into the longest: words, lists and maps of words.

Nothing here refuses: what has another shape is returned as it is, and the schema has said so already. A changed
node keeps its place and its tag, so that `!override` still holds for the long form.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bayplan.source import Node

if TYPE_CHECKING:
    from collections.abc import Callable

RESET = "!reset"
OVERRIDE = "!override"

_LOWEST_POWER, _HIGHEST_POWER = -4, 6
"""Powers of ten between which Go writes a float without an exponent."""


def scalar(node: Node, value: Any) -> Node:
    """Return the node with another value; how it was written is forgotten."""
    return Node(value, node.place, node.key, node.tag)


def word_at(node: Node, value: str) -> Node:
    """Return a new word that stands where `node` stands."""
    return Node(value, node.place)


def is_word(node: Node) -> bool:
    """Whether this is a scalar with a value."""
    return node.value is not None and not isinstance(node.value, (dict, tuple))


def word(node: Node) -> str:
    """Return a scalar as Compose prints it: numbers as Go writes them, `true`, `false`, empty for null."""
    value = node.value
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _number(value)
    return "" if value is None else str(value)


def _number(value: float) -> str:
    """Write a float in the shortest form, as Go does: 1.5, 1, 1e+06, 1e-05."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    exact = Decimal(repr(value)).normalize()
    power = exact.adjusted()
    if _LOWEST_POWER <= power < _HIGHEST_POWER or not value:
        return f"{exact:f}"
    digits = "".join(map(str, exact.as_tuple().digits))
    mantissa = digits[0] + (f".{digits[1:]}" if digits[1:] else "")
    return f"{'-' if value < 0 else ''}{mantissa}e{'-' if power < 0 else '+'}{abs(power):02d}"


def as_text(node: Node) -> Node:
    """Return a number or a truth value as the text that Compose makes of it; anything else as it is."""
    return scalar(node, word(node)) if is_word(node) and not isinstance(node.value, str) else node


def as_list(node: Node) -> Node:
    """Return one word as a list of it; anything else as it is."""
    return scalar(node, (Node(node.value, node.place, text=node.text),)) if is_word(node) else node


def each(node: Node, form: Callable[[Node], Node]) -> Node:
    """Return a list or a map with each item in its long form; anything else as it is."""
    if node.is_list:
        return node.with_value(tuple(form(child) for child in node))
    if node.is_map:
        return node.with_value({key: form(child) for key, child in node.items()})
    return node


def words(node: Node) -> Node:
    """Return a word or a list as a list of words, each once."""
    listed = each(as_list(node), as_text)
    return listed.with_value(unique(listed, word)) if listed.is_list else listed


def unique(items: Node | tuple[Node, ...], identity: Callable[[Node], str]) -> tuple[Node, ...]:
    """Return the items, of those with one identity the last, in the place of the first."""
    found: dict[str, Node] = {}
    for item in items:
        found[identity(item)] = item
    return tuple(found.values())


def pairs(node: Node, *, empty: str | None = None) -> Node:
    """Return `[A=1, B]` as `{A: "1", B: null}`, and every value of a map as text.

    Args:
        node: a list of `key=value` or a map.
        empty: what a key without a value gets: null for an environment, "" for labels.
    """
    if node.is_list:
        found = {}
        for item in node:
            key, equals, value = word(item).partition("=")
            found[key] = Node(value if equals else empty, item.place, item.place)
        return node.with_value(found)
    if not node.is_map:
        return node
    return each(node, lambda child: scalar(child, empty) if child.value is None else as_text(child))


def fields(node: Node, forms: dict[str, Callable[[Node], Node]]) -> Node:
    """Return a map with the named fields in their long forms; a field that `!reset` takes back stays so."""
    if not node.is_map:
        return node
    return node.with_value(
        {key: forms[key](child) if key in forms and child.tag != RESET else child for key, child in node.items()}
    )


def defaults(node: Node, **more: Any) -> Node:
    """Return a map with fields added that it lacks."""
    if not node.is_map:
        return node
    added = {key: Node(value, node.place) for key, value in more.items() if node.get(key) is None}
    return node.with_value({**node.value, **added}) if added else node
