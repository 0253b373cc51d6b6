"""Small words that several messages need."""

from __future__ import annotations


def several(number: int, noun: str) -> str:
    """Return `1 service` or `3 services`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
