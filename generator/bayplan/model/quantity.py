"""Amounts with a memory: how much, and who says so.

Units inside bayplan are integers: memory, VRAM and disk in bytes, CPU in thousandths of a logical CPU (milli),
everything else in pieces. Text is read and written at the borders only (`bayplan.model.units`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from bayplan.finding import NOWHERE, Place

if TYPE_CHECKING:
    from collections.abc import Iterable

MEMORY = "memory"
CPUS = "cpus"
SWAP = "swap"
PIDS = "pids"
GPU_MEMORY = "gpu_memory"
DISK = "disk:"
"""Disk is counted per class: the resource of class ssd is `disk:ssd`."""


class Origin(StrEnum):
    """What kind of statement a number is. Sums keep the kinds apart."""

    DECLARED = "declared"
    INHERITED = "inherited"
    REPLICAS = "replicas"
    MEASURED = "measured"
    ESTIMATED = "estimated"


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount of one resource, and where it came from.

    Attributes:
        amount: in the unit of its resource (see the module).
        origin: the kind of statement.
        place: where it is written.
        source: who says it, in a few words: `compose`, `tier data`, `estimate elasticsearch`.
        why: the reason that the policy gives, or empty.
        was: what this one replaced, or None.
    """

    amount: int
    origin: Origin = Origin.DECLARED
    place: Place = NOWHERE
    source: str = ""
    why: str = ""
    was: Quantity | None = None

    def over(self, lower: Quantity | None) -> Quantity:
        """Return this quantity, remembering the one it replaces."""
        return self if lower is None else replace(self, was=lower)

    @property
    def layers(self) -> tuple[Quantity, ...]:
        """Return this quantity and all it replaced, the strongest first."""
        return (self, *(self.was.layers if self.was else ()))


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum that keeps the kinds of its parts apart, in the unit of its resource."""

    declared: int = 0
    inherited: int = 0
    replicas: int = 0
    measured: int = 0
    estimated: int = 0

    @property
    def total(self) -> int:
        """Return the sum of all kinds."""
        return self.declared + self.inherited + self.replicas + self.measured + self.estimated

    def parts(self) -> tuple[tuple[Origin, int], ...]:
        """Return the kinds that are not zero, in the order of `Origin`."""
        return tuple((origin, self.of(origin)) for origin in Origin if self.of(origin))

    def of(self, origin: Origin) -> int:
        """Return the part of one kind."""
        amount: int = getattr(self, origin.value)
        return amount

    def plus(self, amount: int, origin: Origin) -> Sum:
        """Return the sum with one more part."""
        return self if not amount else replace(self, **{origin.value: self.of(origin) + amount})

    def __add__(self, other: Sum) -> Sum:
        """Return the sum of two sums, kind by kind."""
        result = self
        for origin, amount in other.parts():
            result = result.plus(amount, origin)
        return result


def total(sums: Iterable[Sum]) -> Sum:
    """Return the sum of sums."""
    result = Sum()
    for one in sums:
        result += one
    return result
