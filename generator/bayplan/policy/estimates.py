"""`estimates:`: what services are guessed to take where nothing says it. First match per resource.

An estimate is charged and shown as one; it is never written into a file.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bayplan.finding import warning
from bayplan.model.quantity import CPUS, MEMORY, Origin, Quantity
from bayplan.policy.patterns import compiled, matches
from bayplan.policy.values import Findings, quantity, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bayplan.finding import Place
    from bayplan.model.service import Service
    from bayplan.source import Node

_RESOURCES = (MEMORY, CPUS)
_MANY = 4


@dataclass(frozen=True, slots=True)
class Estimate:
    """One line of `estimates:`: patterns on names or on images, and what they are guessed to take."""

    names: tuple[str, ...]
    images: tuple[str, ...]
    amounts: Mapping[str, Quantity] = field(default_factory=dict)
    place: Place | None = None

    def covers(self, service: Service) -> bool:
        """Whether the line speaks of a service."""
        if any(matches(pattern, service.name) for pattern in self.names):
            return True
        return any(compiled(pattern.replace("*", "**")).fullmatch(service.image) for pattern in self.images)


def read_estimates(document: Node) -> tuple[tuple[Estimate, ...], Findings]:
    """Return the estimates in the order they are written: here, and only here, order decides."""
    findings = Findings()
    lines = []
    for item in document.get("estimates") or ():
        match = item.get("match")
        names = words(match)
        images = words(item.get("image"))
        source = f"estimate {', '.join(names or images)}"
        amounts = {}
        for resource in _RESOURCES:
            node = item.get(resource)
            found = (
                quantity(findings, "estimates", resource, node, origin=Origin.ESTIMATED, source=source)
                if node is not None
                else None
            )
            if found:
                amounts[resource] = found
        lines.append(Estimate(names, images, amounts, item.place))
    return tuple(lines), findings


def estimate(services: Iterable[Service], lines: tuple[Estimate, ...]) -> tuple[Service, ...]:
    """Return the services, those that say nothing about memory or CPU with their estimate."""
    return tuple(_estimated(service, lines) for service in services)


def _estimated(service: Service, lines: tuple[Estimate, ...]) -> Service:
    if not lines:
        return service
    amounts: dict[str, Quantity] = {}
    for resource in _RESOURCES:
        if resource in service.requests or resource in service.limits:
            continue
        for line in lines:
            if resource in line.amounts and line.covers(service):
                amounts[resource] = line.amounts[resource]
                break
    return replace(service, estimates=amounts) if amounts else service


def broad(lines: tuple[Estimate, ...], services: Iterable[Service]) -> Findings:
    """Return a warning for each pattern with a wildcard inside that catches several families of names."""
    findings = Findings()
    everyone = tuple(services)
    for line in lines:
        for pattern in line.names:
            inner = pattern.strip("*")
            if not (pattern.startswith("*") and pattern.endswith("*") and inner):
                continue
            caught = sorted(service.name.name for service in everyone if matches(pattern, service.name))
            if len(caught) >= _MANY and line.place is not None:
                message = f"'{pattern}' also matches {', '.join(caught[:_MANY])} and {len(caught) - _MANY} more"
                findings.append(warning("estimates/broad", line.place, "estimates", message, "write the names"))
    return findings
