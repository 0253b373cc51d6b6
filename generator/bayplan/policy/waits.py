"""Who waits for whom in the end: what the policy lays over services may close a circle, or name nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.compose.references import cycles, needs
from bayplan.finding import Finding, error, warning

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bayplan.model.service import Service
    from bayplan.source import Node


def waits(known: Iterable[Finding], services: Iterable[Service]) -> list[Finding]:
    """Return who waits for nobody or for itself in the end, but what was found in the Compose files already."""
    said = {(one.rule, one.place) for one in known}
    projects: dict[str, dict[str, Service]] = {}
    for service in services:
        projects.setdefault(service.name.project, {})[service.name.name] = service
    found: list[Finding] = []
    for _, there in sorted(projects.items()):
        for service in there.values():
            found += [_unknown(service, name, node) for name, node in needs(service.tree).items() if name not in there]
        if not any(rule == "compose/cycle" for rule, _ in said):
            found += cycles({key: service.tree for key, service in there.items() if service.active})
    return [one for one in found if (one.rule, one.place) not in said]


def _unknown(service: Service, name: str, node: Node) -> Finding:
    required = node.get("required")
    say = error if service.active and (required is None or required.value is not False) else warning
    message = f"depends on '{name}', which no file defines"
    return say(
        "compose/depends-on-unknown", node.here, str(service.name), message, f"define {name}, or remove the line"
    )
