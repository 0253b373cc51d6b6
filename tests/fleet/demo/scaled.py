"""A sixteenth of an amount, in the form that its file writes it: Compose's `512m`, a policy's `1.5GiB`, `500m` CPU."""

from __future__ import annotations

import re
from fractions import Fraction

from bayplan.model import units

SCALE = Fraction(1, 16)
"""What is left of memory and CPU: a fleet of three machines then fits a laptop."""
DISK_SCALE = Fraction(1, 1024)
LEAST_DISK = 4 * units.MIB
PAGE = 4096
CPU_STEP = 10
"""Docker takes CPU limits with two decimals."""
CPU_FLOOR = 100
"""No CPU limit is scaled to less, in thousandths: a process that starts under a few hundredths takes seconds for it."""
RESERVATION_FLOOR = 6 * units.MIB
"""Docker refuses smaller reservations."""


def _up(number: Fraction, step: int) -> int:
    return -(-number.numerator // (number.denominator * step)) * step


def memory(amount: int, least: int = 0) -> int:
    """Return the scaled bytes in whole pages, at least `least`."""
    return max(least, _up(amount * SCALE, PAGE))


def cpu_limit(milli: int) -> int:
    """Return the scaled limit; one that is under the floor already stays as it is, so that a raise stays a raise."""
    return max(min(milli, CPU_FLOOR), _up(milli * SCALE, CPU_STEP))


def cpu_request(milli: int) -> int:
    """Return the scaled request: a weight, so to the nearest thousandth and at least one."""
    return max(1, round(milli * SCALE))


def disk(amount: int) -> int:
    """Return the scaled size of a volume."""
    return max(LEAST_DISK, _up(amount * DISK_SCALE, PAGE))


_SIZE = re.compile(r"(?<![\w.])([0-9]+)(GB|MB|kB|gb|mb|kb)(?![\w])")
_HEAP = re.compile(r"(-Xm[sx])([0-9]+)([gGmM])")
_KIB = {"g": units.MIB, "m": units.KIB, "k": 1}


def sizes_in(text: str) -> str:
    """Scale what stands as a size in a command or setting of PostgreSQL or Redis: `shared_buffers=2GB`, `2gb`."""

    def scaled(found: re.Match[str]) -> str:
        kib = _up(int(found[1]) * _KIB[found[2][0].lower()] * SCALE, 1)
        unit, letter = (units.KIB, "m") if kib % units.KIB == 0 else (1, "k")
        second = found[2][1]
        return f"{kib // unit}{letter.upper() if second == 'B' and letter == 'm' else letter}{second}"

    return _SIZE.sub(scaled, text)


def heaps_in(text: str) -> str:
    """Scale the heaps among the options of a JVM: `-Xms2g` is `-Xms128m` here."""

    def scaled(found: re.Match[str]) -> str:
        kib = int(found[2]) * _KIB[found[3].lower()]
        return f"{found[1]}{max(1, int(kib * SCALE) // units.KIB)}m"

    return _HEAP.sub(scaled, text)
