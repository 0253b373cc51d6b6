"""Where each copy stands today: where its container was seen, else on the node that its sources name."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from bayplan.model.fleet import Volume
from bayplan.model.names import Instance, Name

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from bayplan.model.fleet import Node
    from bayplan.model.service import PlacementRule, Service
    from bayplan.policy.observed import Observed
    from bayplan.policy.sightings import Part, Sighting

NOT_RUNNING = "it is not running"
NOT_FOUND = "no container of it was found"
_LEFT_BEHIND = ("carry", "never")
"""What becomes of the data on a move, where the data says where a service belongs."""


@dataclass(frozen=True)
class Look:
    """What was looked at.

    Attributes:
        nodes: the nodes there are.
        observed: what was observed of them.
        parts: what bayplan deployed there.
        volumes: all volumes, as the policy has them.
        jobs: the services that others wait for to be done.
    """

    nodes: Mapping[str, Node]
    observed: Mapping[str, Observed]
    parts: Mapping[tuple[str, Name], Part]
    volumes: Mapping[Name, Volume] = field(default_factory=dict)
    jobs: Collection[Name] = ()

    @cached_property
    def _projects(self) -> frozenset[str]:
        """Return the projects of which anything was seen."""
        return frozenset(
            project
            for facts in self.observed.values()
            for project in (*facts.projects, *(one.copy.service.project for one in facts.containers))
        )

    @cached_property
    def _deployed(self) -> frozenset[Name]:
        return frozenset(part.service for part in self.parts.values())

    @cached_property
    def _unobserved(self) -> tuple[str, ...]:
        return tuple(node for node in self.nodes if node not in self.observed)

    @cached_property
    def _holding(self) -> dict[str, list[str]]:
        """Return real volume → the nodes that hold it, sorted."""
        found: dict[str, list[str]] = {}
        for node, facts in sorted(self.observed.items()):
            for volume in facts.volumes:
                found.setdefault(volume, []).append(node)
        return found

    def at(self, project: str) -> bool:
        """Whether anything of a project was seen anywhere: else it may simply run where nobody looked."""
        return project in self._projects

    def unseen(self, service: Name, home: str, rule: PlacementRule) -> tuple[str, ...]:
        """Return the nodes on which an unseen service may still stand."""
        if home and home not in self.observed:
            return (home,)
        left = home and service.project in self.observed[home].projects
        if not left or service in self._deployed or not self._unobserved:
            return ()  # nobody but bayplan moves a service, and bayplan keeps it in a file where it stands
        may = (rule.node,) if rule.node else rule.nodes
        return (
            tuple(node for node in may if node in self.nodes and node not in self.observed) if may else self._unobserved
        )

    def data(self, service: Service, home: str) -> str:
        """Return the node that holds the data of a service, its own one first; empty if none does."""
        names = (Name(service.name.project, key) for key in service.volume_keys)
        volumes = [self.volumes.get(name, Volume(name, str(name))) for name in names]
        real = {one.real_name for one in volumes if one.on_move in _LEFT_BEHIND and one.access != "network"}
        holding = {node for volume in real for node in self._holding.get(volume, ())}
        return home if home in holding else min(holding, default="")


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where the copies of one service stand: number → node; and why a copy does not run."""

    standing: Mapping[int, str] = field(default_factory=dict)
    idle: Mapping[int, str] = field(default_factory=dict)

    @property
    def copies(self) -> int:
        """Return how many copies there are, running or not."""
        return len({*self.standing, *self.idle})


def whereabouts(
    service: Service, seen: Collection[Sighting], home: str, rule: PlacementRule, look: Look
) -> Whereabouts:
    """Return where the copies of a service stand.

    Args:
        service: as it is today, with the number of copies that its files ask for.
        seen: its containers.
        home: the node that its sources name, or nothing.
        rule: where the policy lets it stand.
        look: what was looked at.
    """
    standing = {one.copy.number: one.node for one in seen}
    job = service.name in look.jobs
    idle = {one.copy.number: NOT_RUNNING for one in seen if not one.stands(job=job)}
    missing = [number for number in range(1, service.replicas.count + 1) if number not in standing]
    missing = missing[: max(0, service.replicas.count - len(standing))]
    if not look.at(service.name.project) or (home and home not in look.observed):
        standing |= dict.fromkeys(missing, home) if home else {}
    elif not seen:
        unseen = look.unseen(service.name, home, rule)
        where = unseen[0] if len(unseen) == 1 else home if unseen else look.data(service, home)
        standing |= dict.fromkeys(missing, where) if where else {}
        idle |= dict.fromkeys(missing, NOT_FOUND) if not unseen else {}
    return Whereabouts(dict(sorted(standing.items())), idle)


def instances(name: Name, numbers: Mapping[int, str]) -> dict[Instance, str]:
    """Return number → word as copy → word."""
    return {Instance(name, number): text for number, text in numbers.items()}
