"""`estimates:`: what services are guessed to take where nothing says it. First match per resource.

An estimate is charged and shown as one; it is never written into a file.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bayplan.finding import warning
from bayplan.model.quantity import CPUS, MEMORY, Origin, Quantity
from bayplan.policy.patterns import Names, Texts
from bayplan.policy.values import Findings, quantity, words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from bayplan.finding import Place
    from bayplan.model.names import Name
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


class Covered:
    """Services, to look up which of them a line speaks of."""

    def __init__(self, services: Collection[Service]) -> None:
        self.of_image: dict[str, list[Name]] = {}
        self.names = Names(service.name for service in services)
        for service in services:
            self.of_image.setdefault(service.image, []).append(service.name)
        self.images = Texts(self.of_image)

    def by(self, line: Estimate) -> Iterator[Name]:
        """Yield the services that a line speaks of, some of them perhaps twice."""
        for pattern in line.names:
            yield from self.names.matching(pattern)
        for pattern in line.images:
            for image in self.images.matching(pattern.replace("*", "**")):
                yield from self.of_image[image]


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
    everyone = tuple(services)
    first = guesses(everyone, lines)
    return tuple(_estimated(service, first.get(service.name, {})) for service in everyone)


def guesses(services: Collection[Service], lines: tuple[Estimate, ...]) -> Mapping[Name, Mapping[str, Quantity]]:
    """Return service → resource → what the first line guesses that speaks of both."""
    first: dict[Name, dict[str, Quantity]] = {}
    covered = Covered(services if lines else ())
    for line in lines:
        for name in covered.by(line):
            first[name] = {**line.amounts, **first.get(name, {})}
    return first


def _estimated(service: Service, guessed: Mapping[str, Quantity]) -> Service:
    unsaid = [one for one in _RESOURCES if one in guessed and not (one in service.requests or one in service.limits)]
    return replace(service, estimates={resource: guessed[resource] for resource in unsaid}) if unsaid else service


def broad(lines: tuple[Estimate, ...], services: Iterable[Service]) -> Findings:
    """Return a warning for each pattern with a wildcard inside that catches several families of names."""
    findings = Findings()
    names = Names(service.name for service in services)
    for line in lines:
        for pattern in line.names:
            inner = pattern.strip("*")
            if not (pattern.startswith("*") and pattern.endswith("*") and inner):
                continue
            caught = sorted(name.name for name in names.matching(pattern))
            if len(caught) >= _MANY and line.place is not None:
                message = f"'{pattern}' also matches {', '.join(caught[:_MANY])} and {len(caught) - _MANY} more"
                findings.append(warning("estimates/broad", line.place, "estimates", message, "write the names"))
    return findings
