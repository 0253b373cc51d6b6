"""Ports that are published on an address which another machine has."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bayplan.analyse import addresses
from bayplan.check.compose_lines import instead, laid
from bayplan.check.rule import Rule
from bayplan.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.model.service import Port, Service

RULE = Rule("network/address-elsewhere", Severity.ERROR)


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service that publishes on the address of a node on which it does not stand."""
    owners = {node.address: name for name, node in survey.fleet.nodes.items() if addresses.address(node.address)}
    for service in survey.services:
        here = survey.nodes_of.get(service.name, ())
        wrong = [port for port in service.ports if (owner := owners.get(port.host_ip)) and {owner} != set(here)]
        if not here or not wrong or service.network_mode:
            continue
        first, own = wrong[0], ", ".join(_address(survey, one) for one in here)
        yield RULE.finding(
            first.place,
            service.name,
            f"publishes {_shown(first)} on {first.host_ip}, the address of {owners[first.host_ip]}, but stands on "
            f"{', '.join(here)}: it does not start there",
            arithmetic=f"{first.host_ip} is {owners[first.host_ip]}; here: {own}",
            paste=laid(
                survey, service, "ports", instead(_mended(survey, service, here, {one.host_ip for one in wrong}))
            ),
            also=tuple(port.place for port in wrong[1:]),
        )


def _address(survey: Survey, node: str) -> str:
    return survey.fleet.nodes[node].address or node


def _mended(survey: Survey, service: Service, here: tuple[str, ...], wrong: set[str]) -> list[Any]:
    """Return the ports on the address of the one node, or of every address where there are several nodes."""
    own = survey.fleet.nodes[here[0]].address if len(here) == 1 else ""
    right = own if addresses.address(own) else ""
    return [str(replace(port, host_ip=right) if port.host_ip in wrong else port) for port in service.ports]


def _shown(port: Port) -> str:
    return f"{port.published or 'a port'}/{port.protocol}"
