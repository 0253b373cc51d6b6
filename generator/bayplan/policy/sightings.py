"""What was seen on the nodes, told by the policy's own names: which copy of which service each container is.

Compose counts containers on its node, and bayplan writes copies with different cards as Compose services of their own
(`web-1`, `web-3`); the policy knows one service with copies that are counted over the whole fleet.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from bayplan.model.names import Instance, Name
from bayplan.policy.values import word

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from bayplan.policy.observed import Observed, Seen
    from bayplan.source import Node

_PART = re.compile(r"(?P<service>.+?)-(?:copy-)?(?P<first>[0-9]+)")
NOTE = "x-bayplan"
"""Where a compiled file says what Compose has no key for."""


@dataclass(frozen=True, slots=True)
class Part:
    """A Compose service of a deployed file.

    Attributes:
        node: where it is deployed.
        key: what the file calls it.
        service: whose copies it makes.
        first: the number of the first of them, 0 if the file does not say.
        written: its canonical mapping.
    """

    node: str
    key: Name
    service: Name
    first: int
    written: Node

    @property
    def on_demand(self) -> bool:
        """Whether it runs only when somebody asks for it."""
        note = self.written.get(NOTE)
        return note is not None and word(note.get("run")) == "on-demand"


@dataclass(frozen=True, slots=True)
class Sighting:
    """A container: which copy it is, where it was seen, and what it was deployed from, if bayplan did that."""

    copy: Instance
    node: str
    seen: Seen
    part: Part | None = None

    def stands(self, *, job: bool = False) -> bool:
        """Whether it runs, or rests as it should, or was a job and is done."""
        rests = self.part is not None and self.part.on_demand
        return self.seen.running or rests or (job and self.seen.done)


def deployed_parts(observed: Mapping[str, Observed], known: Collection[Name]) -> dict[tuple[str, Name], Part]:
    """Return (node, key) → what is deployed there.

    Args:
        observed: the nodes that count.
        known: the services of the policy, as it was written and as it shall be.
    """
    return {
        (node, key): Part(node, key, *owner(key, known), written)
        for node, facts in sorted(observed.items())
        for project, one in facts.projects.items()
        if one.compose
        for key, written in ((Name(project, name), written) for name, written in one.compose.services.items())
    }


def owner(key: Name, known: Collection[Name]) -> tuple[Name, int]:
    """Return whose copies a Compose service makes, and the number of the first if its name says it."""
    found = _PART.fullmatch(key.name) if key not in known else None
    whose = Name(key.project, found["service"]) if found else key
    return (whose, int(found["first"])) if found and whose in known else (key, 0)


def sightings(
    observed: Mapping[str, Observed], known: Collection[Name], parts: Mapping[tuple[str, Name], Part]
) -> dict[Name, tuple[Sighting, ...]]:
    """Return service → its containers, by the number of the copy that each is taken to be.

    A number that Compose gives on two nodes belongs to the first of them; the other container gets a free one.
    """
    found: dict[Name, list[tuple[int, Sighting]]] = {}
    for node, facts in sorted(observed.items()):
        for seen in sorted(facts.containers, key=lambda one: one.copy):
            service, first = owner(seen.copy.service, known)
            wish = first + seen.copy.number - 1 if first else seen.copy.number
            part = parts.get((node, seen.copy.service))
            found.setdefault(service, []).append((wish, Sighting(seen.copy, node, seen, part)))
    return {name: _numbered(name, some) for name, some in sorted(found.items())}


def _numbered(name: Name, wished: Iterable[tuple[int, Sighting]]) -> tuple[Sighting, ...]:
    given: dict[int, Sighting] = {}
    late = []
    for wish, one in wished:
        if wish in given:
            late.append(one)
        else:
            given[wish] = one
    free = (number for number in count(1) if number not in given)
    for one in late:
        given[next(free)] = one
    return tuple(
        Sighting(Instance(name, number), one.node, one.seen, one.part) for number, one in sorted(given.items())
    )
