"""Amounts and limits for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_UNITS = (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10))
_BYTES = ("memory", "swap", "reservation")


def show(amount: int) -> str:
    """Return bytes in the largest unit that keeps them readable."""
    for unit, size in _UNITS:
        if amount >= size:
            return f"{amount / size:.2f}".rstrip("0").rstrip(".") + f" {unit}"
    return f"{amount} B"


def limit(key: str, value: Any) -> str:
    """Return one limit."""
    if value in (None, ""):
        return "none"
    if value == -1:
        return "unlimited"
    if key in _BYTES:
        return show(int(value))
    return f"{value / 1000:g}" if key == "cpus" else str(value)


def lines(limits: Mapping[str, Any] | None, keys: tuple[str, ...]) -> list[str]:
    """Return limits as lines of a text that can be compared; what is not limited is not there."""
    if limits is None:
        return []
    return [f"{key}: {limit(key, limits[key])}" for key in keys if limits.get(key) not in (None, "")]


def differences(found: Mapping[str, tuple[Any, Any]]) -> str:
    """Return `memory is 1 GiB, not 512 MiB` for every difference."""
    return ", ".join(f"{key} is {limit(key, is_)}, not {limit(key, wanted)}" for key, (wanted, is_) in found.items())
