"""Bursts of pools: how far beyond their quota they go for a while, and who lends what they borrow."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from bayplan.policy.values import factor, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.model.fleet import Pool
    from bayplan.source import Node

USUAL = Fraction(6, 5)
"""The factor of a burst that names none."""


@dataclass(frozen=True, slots=True)
class Burst:
    """What a pool takes for a while.

    Attributes:
        pool: whose quota is multiplied.
        factor: by how much.
        node: where the factor is said, or else the whole burst.
        said: whether the policy says the factor.
        donors: the pools that lend, itself and unknown ones left out.
        lent: where they are named.
    """

    pool: Pool
    factor: Fraction
    node: Node
    said: bool
    donors: tuple[Pool, ...]
    lent: Node


def bursts(survey: Survey) -> Iterator[Burst]:
    """Yield the burst of each pool that has one and borrows from somebody, by the pool's name."""
    pools = survey.fleet.pools
    for name, pool in sorted(pools.items()):
        burst = survey.at("pools", name, "burst")
        lent = burst.get("donors") if burst is not None else None
        donors = tuple(pools[one] for one in words(lent) if one in pools and one != name)
        if burst is None or lent is None or not donors:
            continue
        said = burst.get("factor")
        times = factor(said) if said is not None else None
        if said is not None and times:
            yield Burst(pool, times, said, said=True, donors=donors, lent=lent)
        else:
            yield Burst(pool, USUAL, burst, said=False, donors=donors, lent=lent)
