"""Lines of a service's Compose file: where a value stands, and what to paste to have another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.paste import flow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bayplan.check.survey import Survey
    from bayplan.finding import Place
    from bayplan.model.service import Service
    from bayplan.source import Node


def line(service: Service, *path: str) -> Node | None:
    """Return the node at a path of a service's canonical Compose tree, or None."""
    node: Node | None = service.tree
    for key in path:
        node = node.get(key) if node is not None else None
    return node


def overlay(survey: Survey, service: Service, key: str, value: str) -> str:
    """Return a fragment that lays one Compose key over a service; the value is YAML, so that it may have a tag."""
    path = [*survey.path_of(service, "compose"), key]
    return f"{path[0]}: {{{flow(path[1])}: {{{path[2]}: {{{key}: {value}}}}}}}"


def by_project(services: Iterable[tuple[Service, Place]]) -> dict[str, list[tuple[Service, Place]]]:
    """Return project → its services with the places of what is said about them: one finding for each project."""
    found: dict[str, list[tuple[Service, Place]]] = {}
    for service, place in services:
        found.setdefault(service.name.project, []).append((service, place))
    return found


def listed(services: Iterable[tuple[Service, Place]], most: int = 8) -> str:
    """Return the names of services, the first few of many."""
    names = [service.name.name for service, _ in services]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
