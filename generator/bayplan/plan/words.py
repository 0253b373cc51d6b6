"""A changed value in a few words: what went and what came, not two long lists side by side."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from bayplan.model import units

_WIDEST = 60
_NULL = "~"
_WORD = re.compile(r"(?:\$\{[^{}]*\}|\S)+")
"""A word of a command line; `${NAME:?set it}` is one, for all its spaces."""


def changed(key: str, before: Any, after: Any) -> str:
    """Return `limits.memory 6 GiB → 3 GiB`, `command 1gb → 768mb`, `ports.published 9001 → 9101`."""
    if _NULL in (before, after):
        return ""
    key = key.replace("deploy.resources.reservations.devices", "gpu")
    if key.endswith("address") and after is None:
        return f"gives up the address {before}"
    if _is_rows(before) and _is_rows(after) and len(before) == len(after):
        return "; ".join(_rows(key, before, after))
    if _is_words(before) and _is_words(after):
        gone, come = _difference(_split(before), _split(after))
        return f"{key} {_short(' '.join(gone)) or 'nothing'} → {_short(' '.join(come)) or 'nothing'}"
    return f"{key} {shown(key, before)} → {shown(key, after)}"


def shown(key: str, value: Any) -> str:
    """Return a value as it is shown: amounts in their unit, lists as words, `none` for nothing."""
    if value is None:
        return "none"
    half, _, resource = key.partition(".")
    if half in ("limits", "requests") and isinstance(value, int):
        return units.show(resource, value)
    if isinstance(value, list):
        return _short(" ".join(_item(item) for item in value))
    return _short(str(value))


def _item(item: Any) -> str:
    return " ".join(f"{key}={value}" for key, value in item.items()) if isinstance(item, Mapping) else str(item)


def _short(text: str) -> str:
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)


def _is_words(value: Any) -> bool:
    return (isinstance(value, list) and all(isinstance(item, str) for item in value)) or isinstance(value, str)


def _split(value: list[str] | str) -> list[str]:
    return _WORD.findall(value) if isinstance(value, str) else list(value)


def _difference(before: list[str], after: list[str]) -> tuple[list[str], list[str]]:
    gone, come = Counter(before) - Counter(after), Counter(after) - Counter(before)
    return [word for word in before if word in gone], [word for word in after if word in come]


def _rows(key: str, before: list[Any], after: list[Any]) -> list[str]:
    return [
        changed(f"{key}.{inner}", old.get(inner), new.get(inner))
        for old, new in zip(before, after, strict=True)
        for inner in sorted({*old, *new})
        if old.get(inner) != new.get(inner)
    ]
