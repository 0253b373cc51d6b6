"""What a service is scaled by: the triggers of `scale.on`, read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from bayplan.check.moment import stated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.model.service import Service
    from bayplan.source import Node

_SHARE = re.compile(r"(\d+(?:\.\d+)?) *%(?: of (limit|request|replicas))?")


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


def of_limit(service: Service, trigger: Trigger) -> Fraction | None:
    """Return a target in percent of the limit, or None if it is none."""
    if trigger.of == "limit":
        return trigger.share * 100
    limit, request = (stated(service, half, trigger.resource) for half in ("limits", "requests"))
    return trigger.share * 100 * request / limit if trigger.of == "request" and limit else None


def triggers(service: Service) -> Iterator[Trigger]:
    """Yield what a service is scaled by, in the order of names; what cannot be read is left out."""
    for path, node in sorted(service.settings.items()):
        if path[:2] != ("scale", "on") or len(path) != 3:  # noqa: PLR2004 - scale.on.RESOURCE
            continue
        found = read_trigger(path[2], node)
        if found is not None:
            yield found


def read_trigger(resource: str, node: Node) -> Trigger | None:
    """Return what a target says, or None if it cannot be read."""
    found = _SHARE.fullmatch(node.string.strip())
    if found:
        return Trigger(resource, Fraction(found[1]) / 100, found[2] or "limit", node)
    return Trigger(resource, Fraction(node.string), "", node) if re.fullmatch(r"\d+(\.\d+)?", node.string) else None
