"""Who takes the most: services ranked, copies counted, and families of names (`doc-analyzer-1 … -3`) summed."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayplan.analyse.charge import charge
from bayplan.model.quantity import CPUS, MEMORY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.model.fleet import Fleet
    from bayplan.model.names import Instance, Name
    from bayplan.model.placement import Seat

_NUMBERED = re.compile(r"(.+?)[-_]?\d+")


@dataclass(frozen=True, slots=True)
class Consumer:
    """A service or a family of services, with what all of its copies are charged. Memory in bytes, CPU in milli."""

    name: str
    family: str
    services: tuple[Name, ...]
    copies: int
    memory: int
    cpus: int
    kinds: tuple[str, ...]

    def of(self, resource: str) -> int:
        """Return its charge of a resource."""
        return self.cpus if resource == CPUS else self.memory


def consumers(fleet: Fleet, seats: Mapping[Instance, Seat], by: str = MEMORY) -> list[Consumer]:
    """Return the consumers that stand somewhere, the largest first; names decide between equals."""
    copies: dict[Name, int] = defaultdict(int)
    for copy in seats:
        copies[copy.service] += 1
    families: dict[str, list[Name]] = defaultdict(list)
    for name in sorted(copies):
        families[family(name)].append(name)
    found = [_consumer(fleet, title, tuple(names), copies) for title, names in families.items()]
    return sorted(found, key=lambda one: (-one.of(by), one.name))


def family(name: Name) -> str:
    """Return the name without its number: `bev/doc-analyzer` for `bev/doc-analyzer-2`."""
    numbered = _NUMBERED.fullmatch(name.name)
    return f"{name.project}/{numbered[1]}" if numbered else str(name)


def _consumer(fleet: Fleet, title: str, names: tuple[Name, ...], copies: Mapping[Name, int]) -> Consumer:
    memory = cpus = 0
    kinds: set[str] = set()
    for name in names:
        service = fleet.services[name]
        for resource in (MEMORY, CPUS):
            found = charge(fleet, service, resource)
            if found is None:
                continue
            kinds.update({found.origin.value} if resource == MEMORY else ())
            if resource == MEMORY:
                memory += copies[name] * found.amount
            else:
                cpus += copies[name] * found.amount
    many = sum(copies[name] for name in names)
    shown = str(names[0]) if len(names) == 1 else title
    return Consumer(f"{shown} x{many}" if many > 1 else shown, title, names, many, memory, cpus, tuple(sorted(kinds)))
