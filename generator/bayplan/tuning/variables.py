"""Variables in what a container is told: what `.env` says of them, or their default; only amounts are looked for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_VARIABLE = re.compile(r"(?<!\$)\$(?:\{(\w{1,80})(?:(:?-)([^${}]*))?\}|(\w{1,80}))")


def filled(text: str, variables: Mapping[str, str]) -> str:
    """Return a text in which variables that are known have their value; all others stay as they are written."""

    def fill(found: re.Match[str]) -> str:
        name, sign, default = found[1] or found[4], found[2], found[3]
        value = variables.get(name)
        if sign and (value is None or (sign == ":-" and not value)):
            value = default
        return found[0] if value is None else value

    return _VARIABLE.sub(fill, text) if "$" in text else text
