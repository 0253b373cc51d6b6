"""Where a policy says on which cores a service runs: on its own line, its pool's, its tier's, or its Compose file's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayplan.analyse.cores import EXCLUSIVE, SHARED, kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Place
    from bayplan.model.fleet import Node
    from bayplan.model.service import Service


@dataclass(frozen=True, slots=True)
class Said:
    """A line that says cores.

    Attributes:
        word: the name of a set, or cores such as `2-3`.
        path: where in the policy, or where the policy would say it.
        place: where it is written.
        compose: whether a Compose file says it.
    """

    word: str
    path: tuple[str, ...]
    place: Place
    compose: bool = False

    @property
    def subject(self) -> str:
        """Return whose line it is."""
        return self.path[1] if self.path[0] == "services" else ".".join(self.path[:2])


def said_of(survey: Survey, service: Service) -> Said | None:
    """Return what confines a service to cores, or None if it shares them all or has some alone."""
    word = kind(survey.fleet, service)
    if word == EXCLUSIVE:
        return None
    if word in ("", SHARED):
        node = service.tree.get("cpuset") if service.tree is not None else None
        path = survey.path_of(service, "compose", "cpuset")
        return Said(node.string, path, node.place, compose=True) if node is not None and node.string else None
    own = survey.settings_of(service, "cores")
    if own is not None:
        return Said(word, survey.path_of(service, "cores"), own.place)
    for path in (("pools", service.pool, "cores"), ("tiers", service.tier, "cores")):
        node = survey.at(*path)
        if node is not None and node.string == word:
            return Said(word, path, node.place)
    return Said(word, survey.path_of(service, "cores"), service.place)


def mapped(survey: Survey) -> Iterator[Node]:
    """Yield the nodes that name sets of cores; of those that one line of the policy speaks of, the first."""
    seen: set[tuple[str, ...]] = set()
    for name, node in sorted(survey.fleet.nodes.items()):
        path = survey.node_path(name)
        if node.core_map and path not in seen:
            seen.add(path)
            yield node
