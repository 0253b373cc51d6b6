"""The bill of a node: every charge against one resource, as the parts that the solver and the arithmetic both read.

charges = Σ plain + Σ pools min(Σ members, quota, largest `concurrent`) + Σ groups max + Σ volumes
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import chain, repeat
from typing import TYPE_CHECKING

from bayplan.analyse.pools import pool_charge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bayplan.model.fleet import Pool
    from bayplan.model.names import Name

Members = tuple[tuple["Name", int], ...]
"""Services with the charge of one copy, by name; nobody is charged 0."""


@dataclass(frozen=True, slots=True)
class PoolBill:
    """The members of an on-demand pool, whose charge together is bounded by its quota or its `concurrent`."""

    pool: Pool
    resource: str
    quota: int | None
    members: Members

    def charged(self, copies: Callable[[Name], int]) -> int:
        """Return what the pool is charged where so many copies of each member stand."""
        amounts = chain.from_iterable(repeat(amount, copies(name)) for name, amount in self.members)
        return pool_charge(self.pool, self.resource, amounts)


@dataclass(frozen=True, slots=True)
class VolumeBill:
    """A volume with a size and a class: charged once on each node that has a user of it, or for each copy."""

    name: Name
    size: int
    users: tuple[Name, ...]
    per_copy: bool

    def charged(self, copies: Callable[[Name], int]) -> int:
        """Return what the volume is charged where so many copies of each user stand."""
        number = sum(copies(user) for user in self.users)
        return self.size * (number if self.per_copy else min(1, number))


@dataclass(frozen=True, slots=True)
class Bill:
    """All charges against one resource of one node (or one card)."""

    resource: str
    plain: Members = ()
    pools: tuple[PoolBill, ...] = ()
    turns: tuple[Members, ...] = ()
    """Time groups: members that never run together, charged as the largest of those that are there."""
    volumes: tuple[VolumeBill, ...] = field(default=())

    def charged(self, copies: Callable[[Name], int]) -> int:
        """Return the sum where so many copies of each service stand."""
        plain = sum(amount * copies(name) for name, amount in self.plain)
        shared = sum(one.charged(copies) for one in self.pools) + sum(one.charged(copies) for one in self.volumes)
        turns = sum(max((amount for name, amount in group if copies(name)), default=0) for group in self.turns)
        return plain + shared + turns

    def rounded(self, unit: int) -> Bill:
        """Return the same bill in units of so much, each amount rounded up: coarse, for comparing only."""

        def up(members: Members) -> Members:
            return tuple((name, -(-amount // unit)) for name, amount in members)

        pools = tuple(
            replace(one, quota=None if one.quota is None else -(-one.quota // unit), members=up(one.members))
            for one in self.pools
        )
        volumes = tuple(replace(one, size=-(-one.size // unit)) for one in self.volumes)
        return replace(self, plain=up(self.plain), pools=pools, turns=tuple(map(up, self.turns)), volumes=volumes)

    def amounts(self) -> Iterator[int]:
        """Yield every amount that a charge can be made of; their common divisor is the unit to count in."""
        for _, amount in chain(self.plain, *(one.members for one in self.pools), *self.turns):
            yield amount
        yield from (one.quota for one in self.pools if one.quota is not None)
        yield from (one.size for one in self.volumes)
