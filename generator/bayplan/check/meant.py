"""What somebody may have meant who wrote an amount as it is not read: `≤ 8G`, `4..5GiB`, `~2 GiB`, `1.0`."""

from __future__ import annotations

import re
from fractions import Fraction

from bayplan.model.quantity import CPUS, DISK, GPU_MEMORY, MEMORY, SWAP

_SIGNS = {"≤": "<=", "=<": "<=", "≥": ">=", "=>": ">=", "==": "", "=": "", "~": "", "≈": ""}
_LEAD = re.compile(r"\s*(<=|>=|=<|=>|==|[<>≤≥=~≈])?\s*(.+?)\s*(of\s+[0-9]+\s+services?)?\s*")
_BETWEEN = re.compile(r"\s*(?:\.{2,3}|…|\u2013|\u2014|-|\bto\b)\s*")
_VALUE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*|%)")
_BINARY, _DECIMAL = {"K": "KiB", "M": "MiB", "G": "GiB", "T": "TiB"}, {"M": "MB", "G": "GB", "T": "TB"}
_ENDS = 2
_CORES = frozenset({"cpu", "cpus", "core", "cores", "vcpu", "vcpus"})


def meant(text: str, kind: str) -> str:
    """Return a claim of a kind as it was probably meant, or the empty string if that is anybody's guess."""
    found = _LEAD.fullmatch(text)
    if found is None:
        return ""
    lead, body, services = found.groups()
    ends = [_VALUE.fullmatch(end) for end in _BETWEEN.split(body)]
    values = [(end[1], _unit(end[2], kind)) for end in ends if end]
    if len(values) != len(ends) or len(ends) > _ENDS:
        return ""
    unit = next((unit for _, unit in reversed(values) if unit), "")
    parts = [_written(number, own or unit, kind) for number, own in values]
    if "" in parts:
        return ""
    sign = _SIGNS.get(lead or "", lead or "")
    return " ".join(filter(None, (sign, "..".join(parts), services)))


def _written(number: str, unit: str | None, kind: str) -> str:
    if unit is None:
        return ""
    if kind in {MEMORY, SWAP, GPU_MEMORY} or kind.startswith(DISK):
        return f"{number}{unit}" if unit else f"{number}GiB" if not Fraction(number) else ""
    if unit or kind == CPUS:
        return f"{number}{unit}"
    return str(int(Fraction(number))) if Fraction(number).denominator == 1 else ""


def _unit(unit: str, kind: str) -> str | None:
    """Return a unit as policies write it, or None if it is none of the kind."""
    if unit in {"", "%"}:
        return unit
    if kind == CPUS:
        return unit if unit == "m" else "" if unit.lower() in _CORES else None
    if kind in {MEMORY, SWAP, GPU_MEMORY} or kind.startswith(DISK):
        found = re.fullmatch(r"([kmgt])(i?b?)", unit, re.IGNORECASE)
        decimal = kind.startswith(DISK) and found is not None and "i" not in found[2].lower()
        return (_DECIMAL if decimal else _BINARY).get(found[1].upper()) if found else None
    return ""
