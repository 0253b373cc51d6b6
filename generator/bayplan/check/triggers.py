"""What a service is scaled by: the triggers of `scale.on`, read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.model.quantity import Quantity
    from bayplan.model.service import Service
    from bayplan.source import Node

_SHARE = re.compile(r"(\d+(?:\.\d+)?) *%(?: of (limit|request|replicas))?")
_NUMBER = re.compile(r"\d+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Trigger:
    """One line of `scale.on`: a share of what, or a number.

    Attributes:
        of: `limit`, `request` or `replicas`; `limit` if nothing is said; empty for a plain number.
        share: 0.7 for 70 %, or the number.
        node: where it is written.
    """

    resource: str
    share: Fraction
    of: str
    node: Node


def triggers(service: Service) -> Iterator[Trigger]:
    """Yield what a service is scaled by, in the order of names; what cannot be read is left out."""
    for path, node in sorted(service.settings.items()):
        if path[:2] != ("scale", "on") or len(path) != 3:  # noqa: PLR2004 - scale.on.RESOURCE
            continue
        found = trigger(path[2], node)
        if found is not None:
            yield found


def trigger(resource: str, node: Node) -> Trigger | None:
    """Return a line as a trigger of a resource, or None if it cannot be read."""
    found = _SHARE.fullmatch(node.string.strip())
    if found:
        return Trigger(resource, Fraction(found[1]) / 100, found[2] or "limit", node)
    return Trigger(resource, Fraction(node.string), "", node) if _NUMBER.fullmatch(node.string) else None


def base_of(service: Service, one: Trigger) -> Quantity | None:
    """Return the amount that a trigger is a share of: the limit, or the request, which is by default the limit."""
    limit = service.limits.get(one.resource)
    if one.of == "request":
        return service.requests.get(one.resource) or limit
    return limit if one.of == "limit" else None


def of_limit(service: Service, one: Trigger) -> Fraction | None:
    """Return a trigger as a share of the limit of a copy, or None if it is none or there is no limit."""
    base, limit = base_of(service, one), service.limits.get(one.resource)
    return one.share * base.amount / limit.amount if base and limit and limit.amount else None


def shown(share: Fraction) -> str:
    """Return a share as people write it: `70 %`."""
    return f"{float(share * 100):g} %"
