"""Amounts of memory as applications write them: the same letters mean different things to each."""

from __future__ import annotations

import re
from fractions import Fraction

from bayplan.model.units import GIB, KIB, MIB, TIB

_BINARY = {"": 1, "b": 1, "k": KIB, "m": MIB, "g": GIB, "t": TIB}
_REDIS = {**_BINARY, "k": 10**3, "m": 10**6, "g": 10**9, "kb": KIB, "mb": MIB, "gb": GIB}
_POSTGRES = {"b": 1, "kb": KIB, "mb": MIB, "gb": GIB, "tb": TIB}
_ERLANG = {
    "": 1, "k": KIB, "kib": KIB, "m": MIB, "mib": MIB, "g": GIB, "gib": GIB, "t": TIB, "tib": TIB,
    "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12,
}  # fmt: skip


def jvm(text: str) -> int | None:
    """Return bytes from `2g`, `512m`: Java's -Xmx, and innodb_buffer_pool_size of MySQL. None if it says none."""
    return _read(text, _BINARY)


def redis(text: str) -> int | None:
    """Return bytes from `1gb` (2^30) or `1g` (10^9): Redis tells the two apart."""
    return _read(text, _REDIS)


def policy(text: str) -> int | None:
    """Return 0 for what Redis does when it is full, which is no amount; None for any other word."""
    return 0 if re.fullmatch(r"noeviction|(?:allkeys|volatile)-[a-z]{2,8}", text) else None


def postgres(text: str, block: int = 1) -> int | None:
    """Return bytes from `2GB` (binary); a bare number counts blocks."""
    return _read(text, {**_POSTGRES, "": block})


def neo4j(text: str) -> int | None:
    """Return bytes from `2G`, `2.5g`, `512m`; every letter is binary."""
    return _read(text, _BINARY | {f"{one}b": size for one, size in _BINARY.items() if one in "kmgt"})


def mib(text: str) -> int | None:
    """Return bytes from a bare number of MiB: memcached and ZooKeeper."""
    return _read(text, {"": MIB})


def erlang(text: str) -> int | None:
    """Return bytes from `2GB` (decimal), `2GiB`: RabbitMQ, and `2GiB` of Go."""
    return _read(text, _ERLANG)


def _read(text: str, units: dict[str, int]) -> int | None:
    found = re.fullmatch(r"\s*(\d{1,15}(?:\.\d{1,6})?)\s*([A-Za-z]*)\s*", text.strip("'\" "))
    if found is None or found[2].lower() not in units:
        return None
    return int(Fraction(found[1]) * units[found[2].lower()])
