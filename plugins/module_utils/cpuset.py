"""Lists of cores as the kernel writes them: `0-3,8`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def cores_of(text: str) -> frozenset[int]:
    """Return the cores of a list."""
    found: set[int] = set()
    for part in text.replace(" ", "").strip().split(","):
        first, _, last = part.partition("-")
        if first:
            found |= set(range(int(first), int(last or first) + 1))
    return frozenset(found)


def text_of(cores: Iterable[int]) -> str:
    """Return a list of cores, the shortest way."""
    runs: list[list[int]] = []
    for core in sorted(set(cores)):
        if runs and runs[-1][1] == core - 1:
            runs[-1][1] = core
        else:
            runs.append([core, core])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def normal(text: str | None, every: frozenset[int]) -> str:
    """Return a list of cores in its one form; all cores are the same as no list."""
    cores = cores_of(text or "")
    return "" if not cores or (every and cores >= every) else text_of(cores)
