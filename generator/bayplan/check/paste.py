"""Fragments of policy that one can paste: what a finding proposes, in the words of the policy language."""

from __future__ import annotations

import json
import re
from typing import Any

_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./+ %<>=-]*")
_OTHERWISE = re.compile(r"null|true|false|[-+]?[0-9.]+(e[-+]?[0-9]+)?|0[xo][0-9a-f]+|\.(inf|nan)|.* ", re.IGNORECASE)
"""Plain words that YAML would not read as this text."""


class Raw(str):
    """Words that stand in YAML as they are, such as a tag of Compose."""

    __slots__ = ()


RESET = Raw("!reset null")
"""What takes a key of a Compose file away."""


def fragment(path: tuple[str, ...], value: Any) -> str:
    """Return a value at its path in the policy, on one line: `services: {bev/neo4j: {limits: {memory: 2GiB}}}`."""
    for key in reversed(path[1:]):
        value = {key: value}
    return f"{flow(path[0])}: {flow(value)}"


def flow(value: Any) -> str:
    """Return plain data as YAML on one line; what YAML would read as something else is quoted."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow(key)}: {flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    text = str(value)
    if isinstance(value, Raw):
        return text
    plain = _PLAIN.fullmatch(text) and not _OTHERWISE.fullmatch(text)
    return text if plain else json.dumps(text, ensure_ascii=False)
