"""Ports that are published by who has no network to publish them from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.compose_lines import line
from bayplan.check.paste import RESET
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.model.fleet import Network
from bayplan.model.names import Name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.model.service import Service

RULE = Rule("network/ports-ignored", Severity.WARNING)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service whose ports Docker drops, or refuses to publish."""
    for service in survey.services:
        why = _why(survey, service) if service.ports else ""
        ports = line(service, "ports")
        if not why or ports is None:
            continue
        mode = line(service, "network_mode")
        also = (
            [mode.place]
            if mode is not None
            else [network.written("internal") for network in _networks(survey, service)]
        )
        yield RULE.finding(
            ports.here,
            service.name,
            f"publishes ports, but {why}",
            arithmetic=", ".join(map(str, service.ports)),
            paste=survey.paste(survey.path_of(service, "compose", "ports"), RESET),
            remedy="publish them where the network is"
            if service.network_mode
            else "or give it a network that leads out",
            also=tuple(also),
        )


def _why(survey: Survey, service: Service) -> str:
    mode = service.network_mode
    kind, _, other = mode.partition(":")
    if kind in ("service", "container"):
        return f"it lives in the network of {other}: Docker does not start it with ports of its own"
    if mode == "none":
        return "it has no network: Docker drops them"
    moved = [port for port in service.ports if port.published not in (None, port.target)]
    if mode == "host" and moved:
        return f"on the network of its machine it listens on {moved[0].target} itself: Docker drops {moved[0]}"
    networks = _networks(survey, service)
    if networks and not mode and all(one.body.get("internal") is True for one in networks):
        return "it is on internal networks alone, from which nothing is published"
    return ""


def _networks(survey: Survey, service: Service) -> list[Network]:
    names = (Name(service.name.project, link.network) for link in service.networks)
    return [survey.fleet.networks.get(name, Network(name)) for name in names]
