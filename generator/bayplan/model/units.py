"""Units of measure, as text. Each border has its own: `8G` is 8 GiB to Docker and 8·10⁹ bytes to Kubernetes."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

KIB, MIB, GIB, TIB = 2**10, 2**20, 2**30, 2**40
_BINARY = {"Ki": KIB, "KiB": KIB, "Mi": MIB, "MiB": MIB, "Gi": GIB, "GiB": GIB, "Ti": TIB, "TiB": TIB}
_DECIMAL = {"MB": 10**6, "GB": 10**9, "TB": 10**12, "PB": 10**15}
_DIGITS = r"[0-9]{1,15}(?:\.[0-9]{0,9})?|\.[0-9]{1,9}"
_NUMBER = re.compile(rf"\s*({_DIGITS})\s*([A-Za-z]*)\s*")
# As Docker reads it (docker/go-units, RAMInBytes): every suffix is binary, with or without b and ib.
_DOCKER = re.compile(rf"({_DIGITS}) ?(?:([kmgtp])(?:i?b)?|b)?", re.IGNORECASE)
_DOCKER_UNITS = {"k": KIB, "m": MIB, "g": GIB, "t": TIB, "p": 2**50}

MOST_MEMORY = 2**50
MOST_DISK = 2**53
MOST_CPUS = 10**8
MOST_PIECES = 10**9
"""The largest amounts, in bytes, thousandths and pieces: what is more is a slip, and sums must fit into 64 bits."""

_LONGEST = 40
_SHARES_OF_ONE_CPU = 1024
_LEAST_SHARES = 2


class UnitError(ValueError):
    """A text that is not an amount in this place; the message says what it could mean instead."""


def policy_memory(text: object) -> int:
    """Return bytes from `1.5GiB`, `512MiB` (or `Gi`, `Mi`).

    Raises:
        UnitError: for a bare number and for `8G`, `8GB`, whose two readings the message shows; for more than any
            machine has.
    """
    number, suffix = _split(text)
    if suffix in _BINARY:
        return _at_most(MOST_MEMORY, _whole(number * _BINARY[suffix]), text)
    letter = suffix[:1].upper()
    if letter in {"K", "M", "G", "T"} and suffix.upper() in {letter, f"{letter}B"}:
        binary = _whole(number * _BINARY[f"{letter if letter != 'K' else 'K'}iB"])
        power = 10 ** {"K": 3, "M": 6, "G": 9, "T": 12}[letter]
        plain = f"{float(number):g}"
        readings = f"{plain}{letter}iB = {binary:,} bytes, or {_whole(number * power):,} bytes"
        msg = f"'{_quoted(text)}' can be read twice ({readings}); write {plain}{letter}iB"
        raise UnitError(msg)
    if not suffix:
        msg = f"'{_quoted(text)}' has no unit; write {float(number):g}GiB or {float(number):g}MiB"
        raise UnitError(msg)
    msg = f"'{_quoted(text)}' is not an amount of memory; write it in GiB or MiB"
    raise UnitError(msg)


def policy_disk(text: object) -> int:
    """Return bytes from `40GB`, `7.6TB` (decimal, as on the label) or `40GiB`, `1TiB`.

    Raises:
        UnitError: for anything else.
    """
    number, suffix = _split(text)
    factor = _BINARY.get(suffix) or _DECIMAL.get(suffix)
    if factor is None:
        msg = f"'{_quoted(text)}' is not an amount of disk; write it in GB, TB, GiB or TiB"
        raise UnitError(msg)
    return _at_most(MOST_DISK, _whole(number * factor), text)


def cpus(text: object) -> int:
    """Return thousandths of a CPU from `0.5`, `2` or `500m`, rounded up.

    Raises:
        UnitError: for anything else.
    """
    number, suffix = _split(text)
    if suffix == "m":
        return _at_most(MOST_CPUS, _ceil(number), text)
    if suffix:
        msg = f"'{_quoted(text)}' is not a number of CPUs; write 0.5 or 500m"
        raise UnitError(msg)
    return _at_most(MOST_CPUS, _ceil(number * 1000), text)


def docker_memory(text: object) -> int:
    """Return bytes from Compose's form: `512m`, `8G`, `1.5gb`, `64k`, a bare number of bytes; binary all.

    Raises:
        UnitError: for anything else.
    """
    matched = _DOCKER.fullmatch(_written(text))
    if not matched:
        msg = f"'{_quoted(text)}' is not an amount of memory that Compose reads; write 512m or 2g"
        raise UnitError(msg)
    amount = int(Fraction(matched[1]) * _DOCKER_UNITS.get((matched[2] or "").lower(), 1))
    return _at_most(MOST_MEMORY, amount, text)


_TIMES = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


def milliseconds(text: object) -> int:
    """Return thousandths of a second from `30s`, `1m30s`, `500ms`, rounded up.

    Raises:
        UnitError: for anything else.
    """
    written = str(text)
    parts = re.findall(rf"({_DIGITS})(ms|[smhdw])", written)
    if not parts or "".join(number + unit for number, unit in parts) != written:
        msg = f"'{_quoted(text)}' is not a time; write it as 30s or 5m"
        raise UnitError(msg)
    return _ceil(sum((Fraction(number) * _TIMES[unit] for number, unit in parts), Fraction(0)))


def share(text: object) -> Fraction:
    """Return an exact share from `85%` or `87.5%`; 0 to 100 % only.

    Raises:
        UnitError: for anything else.
    """
    matched = re.fullmatch(r"\s*([0-9]{1,3}(?:\.[0-9]{1,6})?)\s*%\s*", str(text))
    value = Fraction(matched.group(1)) / 100 if matched else None
    if value is None or value > 1:
        msg = f"'{_quoted(text)}' is not a share; write it as 85%"
        raise UnitError(msg)
    return value


def pieces(text: object) -> int:
    """Return a number of pieces from its digits.

    Raises:
        UnitError: for anything else, and for more than a thousand million.
    """
    written = str(text)
    if not written.isascii() or not written.isdigit():
        msg = f"'{_quoted(text)}' is not a whole number"
        raise UnitError(msg)
    return _at_most(MOST_PIECES, int(written[:20]), text)


def _at_most(most: int, amount: int, text: object) -> int:
    if amount > most:
        highest = {MOST_MEMORY: "1,024 TiB", MOST_DISK: "8 PiB", MOST_CPUS: "100,000 CPUs"}.get(most, f"{most:,}")
        msg = f"'{_quoted(text)}' is more than {highest}, the most that can be said"
        raise UnitError(msg)
    return amount


def _quoted(text: object) -> str:
    written = str(text)
    return written if len(written) <= _LONGEST else f"{written[: _LONGEST - 1]}…"


def _written(text: object) -> str:
    return f"{text:.9f}".rstrip("0").rstrip(".") if isinstance(text, float) else str(text)


def _split(text: object) -> tuple[Fraction, str]:
    return _parted(_written(text))


@lru_cache(maxsize=4096)
def _parted(text: str) -> tuple[Fraction, str]:
    matched = _NUMBER.fullmatch(text)
    if not matched:
        msg = f"'{_quoted(text)}' is not an amount"
        raise UnitError(msg)
    number, suffix = matched.groups()
    return Fraction(int(number) if number.isdigit() else number), suffix


def _whole(number: Fraction) -> int:
    return _ceil(number)


def _ceil(number: Fraction) -> int:
    return -(-number.numerator // number.denominator)


def show_bytes(amount: int) -> str:
    """Return bytes as people read them: `108.75 GiB`, `512 MiB`, `1.3 TiB`."""
    for unit, name in ((TIB, "TiB"), (GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if abs(amount) >= unit:
            return f"{_short(Fraction(amount, unit))} {name}"
    return f"{amount} B" if amount else "0"


def show_gib(amount: int) -> str:
    """Return bytes in GiB without the unit: `108.75`."""
    return _short(Fraction(amount, GIB))


def show_cpus(amount: int) -> str:
    """Return thousandths of a CPU as CPUs: `45.5`, `0.04`."""
    return _short(Fraction(amount, 1000))


def show_share(part: int, whole: int) -> str:
    """Return a percentage with one digit: `259.8 %`; a dash if there is no whole."""
    return f"{100 * part / whole:.1f} %" if whole else "-"


def show(resource: str, amount: int) -> str:
    """Return an amount in the words of its resource."""
    if resource == "cpus":
        return f"{show_cpus(amount)} CPU"
    if resource in {"memory", "swap", "gpu_memory"} or resource.startswith("disk:"):
        return show_bytes(amount)
    return f"{amount} {resource}"


def compose_bytes(amount: int) -> str:
    """Return bytes in the largest unit that Compose reads back exactly: `3g`, `1280m`, `1000b`."""
    for unit, letter in ((GIB, "g"), (MIB, "m"), (KIB, "k")):
        if amount and amount % unit == 0:
            return f"{amount // unit}{letter}"
    return f"{amount}b"


def compose_cpus(amount: int) -> str:
    """Return thousandths of a CPU as Compose reads them back exactly: `0.125`."""
    return _short(Fraction(amount, 1000), 3)


def cpu_shares(amount: int) -> int:
    """Return the weight that stands for a request of CPU, in thousandths: Docker knows no requests."""
    return max(_LEAST_SHARES, round(amount * _SHARES_OF_ONE_CPU / 1000))


def requested(shares: int) -> int:
    """Return the thousandths of a CPU that a weight stands for."""
    return round(shares * 1000 / _SHARES_OF_ONE_CPU)


def policy_bytes(amount: int) -> str:
    """Return bytes in the policy's form, read back exactly: `3GiB`, `1280MiB`, `1.25GiB` where that is short."""
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        value = Fraction(amount, unit)
        if value >= 1 and (value * 1000).denominator == 1:
            return f"{_short(value, 3)}{name}"
    # Nine digits, cut: reading rounds up to whole bytes, and so back to the amount.
    return f"{_short(Fraction(amount * 10**9 // KIB, 10**9), 9)}KiB"


def in_policy(resource: str, amount: int) -> str:
    """Return an amount, in the unit of its resource, as a policy says it and reads it back exactly: `6.75`, `2GiB`."""
    if resource == "cpus":
        return compose_cpus(amount)
    in_bytes = resource in {"memory", "swap", "gpu_memory"} or resource.startswith("disk:")
    return policy_bytes(amount) if in_bytes else str(amount)


def _short(value: Fraction, digits: int = 2) -> str:
    rounded = round(abs(value) * 10**digits)
    whole, part = divmod(rounded, 10**digits)
    text = f"{whole}.{part:0{digits}d}".rstrip("0").rstrip(".")
    return f"-{text}" if value < 0 and rounded else text
