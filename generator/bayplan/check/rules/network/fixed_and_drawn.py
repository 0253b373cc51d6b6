"""Networks in which some have a fixed address and others draw theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model.names import Name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.model.fleet import Network
    from bayplan.model.service import Service

RULE = Rule("network/fixed-and-drawn", Severity.NOTE)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a note for each such network: who draws may draw the address of one that is just stopped."""
    fixed: dict[Name, list[Service]] = {}
    drawn: dict[Name, list[Service]] = {}
    for service in survey.services:
        for link in service.networks:
            name = Name(service.name.project, link.network)
            (fixed if link.ipv4 else drawn).setdefault(name, []).append(service)
    for name in sorted(fixed.keys() & drawn.keys()):
        network = survey.fleet.networks.get(name)
        if network is None or _has_range(network) or network.static_addresses == "drop":
            continue
        yield RULE.finding(
            network.place,
            name,
            f"has {len(fixed[name])} services with fixed addresses and {len(drawn[name])} that draw theirs, from the "
            "same range: one that restarts may find its address taken",
            arithmetic=f"fixed: {_few(fixed[name])}; drawn: {_few(drawn[name])}",
            remedy="set ip_range in its ipam config to a part of the subnet without fixed addresses",
        )


def _has_range(network: Network) -> bool:
    ipam: Any = network.body.get("ipam") or {}
    return any(one.get("ip_range") for one in ipam.get("config") or ())


def _few(some: list[Service]) -> str:
    names = [one.name.name for one in some]
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")  # noqa: PLR2004 - a few
