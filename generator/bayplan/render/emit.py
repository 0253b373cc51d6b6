"""The only YAML writer: plain data in, one way of writing out, with comments where a value carries its reason.

No anchors, no flow style, one item a line, text that another reader could take for a number, a boolean or null is
quoted. So the same data always gives the same bytes, and YAML 1.1 and 1.2 readers agree on them.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_./$][A-Za-z0-9_./$+@%^=-]*(?: [A-Za-z0-9_./$+(@%^=-][A-Za-z0-9_./$+(),;@%^='-]*)*")
_WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"])
# Readers written in Go take `_` out before they look: ._1 is 0.1 to them.
_LOOKS_LIKE_NUMBER = re.compile(r"[-+.]?[0-9].*|\._*[0-9_].*|[-+]?\.(inf|nan)", re.IGNORECASE)
# What YAML wants escaped; U+2028 and U+2029 end a line in YAML 1.1.
_CONTROL = re.compile(r"[^\x20-\x7e\u00a1-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Said:
    """A value with the comment that is written behind it."""

    value: Any
    comment: str = ""


def bare(tree: Any) -> Any:
    """Return the tree without its comments."""
    if isinstance(tree, Said):
        return bare(tree.value)
    if isinstance(tree, Mapping):
        return {key: bare(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [bare(value) for value in tree]
    return tree


def emit(tree: Mapping[str, Any], header: str = "", *, apart: int = 0) -> str:
    """Return a document: the header as comment lines, then the tree in the order it has.

    Args:
        tree: the data.
        header: lines of comment that stand first.
        apart: down to which depth a blank line stands before each entry that has entries of its own.
    """
    lines = [f"# {_one_line(line)}".rstrip() for line in header.splitlines()]
    return "\n".join([*lines, *_mapping(tree, 0, apart)]) + "\n"


def listed(items: Iterable[Mapping[str, Any]], header: str = "") -> str:
    """Return a document that is a list of mappings, a blank line between them; see `emit`."""
    lines = [f"# {_one_line(line)}".rstrip() for line in header.splitlines()]
    for item in items:
        lines += ["", *_item(item, 0)]
    return "\n".join(lines) + "\n"


def _mapping(tree: Mapping[str, Any], depth: int, apart: int = 0) -> Iterator[str]:
    for index, (key, value) in enumerate(tree.items()):
        if depth < apart and isinstance(value, Mapping) and value and (index or not depth):
            yield ""
        yield from _entry(f"{'  ' * depth}{scalar(key)}:", value, depth, apart)


def _entry(head: str, value: Any, depth: int, apart: int = 0) -> Iterator[str]:
    comment = ""
    while isinstance(value, Said):
        comment, value = value.comment or comment, value.value
    tail = f"  # {_one_line(comment)}" if comment else ""
    if isinstance(value, Mapping) and value:
        yield f"{head}{tail}"
        yield from _mapping(value, depth + 1, apart)
    elif isinstance(value, list | tuple) and value:
        yield f"{head}{tail}"
        for item in value:
            yield from _item(item, depth + 1)
    elif isinstance(value, str) and _is_block(value):
        yield from _block(head, tail, value, depth)
    else:
        yield f"{head} {_leaf(value)}{tail}"


def _item(item: Any, depth: int) -> Iterator[str]:
    if isinstance(item, Mapping) and item:
        first, *rest = _mapping(item, depth + 1)
        yield f"{'  ' * depth}- {first[2 * (depth + 1) :]}"
        yield from rest
    else:
        yield from _entry(f"{'  ' * depth}-", item, depth)


def _one_line(comment: str) -> str:
    """Return a comment without what would end it, or make the file unreadable: nothing is escaped in a comment."""
    return _CONTROL.sub("\ufffd", " ".join(comment.split()))


def _leaf(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, list | tuple):
        return "[]"
    return scalar(value)


def scalar(value: Any) -> str:
    """Return a scalar as it is written: text plain where no reader can mistake it, else in double quotes."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, int):
        return repr(value)
    text = str(value)
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS and not _LOOKS_LIKE_NUMBER.fullmatch(text):
        return text
    return _quoted(text)


def _float(value: float) -> str:
    """Return a float as both YAML 1.1 and 1.2 read one: with a point before the exponent, `.inf`, `.nan`."""
    if not math.isfinite(value):
        return {"inf": ".inf", "-inf": "-.inf"}.get(repr(value), ".nan")
    mantissa, e, exponent = repr(value).partition("e")
    return f"{mantissa if '.' in mantissa else f'{mantissa}.0'}{e}{exponent}"


def _quoted(text: str) -> str:
    # JSON's quoted form is YAML's, but for the few characters that YAML wants escaped.
    return _CONTROL.sub(lambda found: f"\\u{ord(found.group()):04x}", json.dumps(text, ensure_ascii=False))


def _is_block(text: str) -> bool:
    lines = text.split("\n")
    tidy = all(line == line.rstrip() and not _CONTROL.search(line) for line in lines)
    return len(lines) > 1 and tidy and bool(lines[0]) and not lines[0].startswith(" ") and not text.endswith("\n\n")


def _block(head: str, tail: str, text: str, depth: int) -> Iterator[str]:
    yield f"{head} |{'' if text.endswith(chr(10)) else '-'}{tail}"
    indent = "  " * (depth + 1)
    for line in text.removesuffix("\n").split("\n"):
        yield f"{indent}{line}" if line else ""
