"""The ties of a service to its network and its neighbours: those of its node stay, the others are bridged by name."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from bayplan.model.names import Name
from bayplan.render.emit import Said

if TYPE_CHECKING:
    from bayplan.model.fleet import Node
    from bayplan.model.service import Service
    from bayplan.render.standing import Standing

DEFAULT_NETWORK = "default"
"""The network that Compose gives to services that name none."""


def addresses(standing: Standing, body: dict[str, Any]) -> None:
    """Take fixed addresses away where the policy says so: an address of a one-host bridge does not travel."""
    networks = body.get("networks")
    if not isinstance(networks, Mapping):
        return
    kept: dict[str, Any] = {}
    for key, attachment in networks.items():
        network = standing.fleet.networks.get(Name(standing.service.name.project, key))
        rule = network.static_addresses if network else "keep"
        drop = rule == "drop" or (rule == "drop-when-moved" and standing.came)
        kept[key] = _without_address(attachment) if drop and isinstance(attachment, Mapping) else attachment
    body["networks"] = kept


def _without_address(attachment: Mapping[str, Any]) -> dict[str, Any] | None:
    return {key: value for key, value in attachment.items() if key not in ("ipv4_address", "ipv6_address")} or None


def alias(standing: Standing, body: dict[str, Any]) -> None:
    """Let copies that are Compose services of their own answer to the name of the service that they are."""
    name = standing.service.name
    if len(standing.parts(name)) == 1 or "network_mode" in body:
        return
    networks = body.get("networks") or {DEFAULT_NETWORK: None}
    body["networks"] = {
        key: {**(attachment or {}), "aliases": [*((attachment or {}).get("aliases") or ()), name.name]}
        for key, attachment in networks.items()
    }


def neighbours(standing: Standing, body: dict[str, Any]) -> None:
    """Replace ties to services of other nodes: names resolve to the other node, order is the rollout's."""
    depends = body.pop("depends_on", None) or {}
    near = {
        part: said
        for name, said in depends.items()
        for part in standing.parts(Name(standing.service.name.project, name))
    }
    if near:
        body["depends_on"] = near
    links = [link for link in body.pop("links", None) or () if _link(standing.service, link)[1] in standing.here]
    if links:
        body["links"] = links
    hosts = list(body.pop("extra_hosts", None) or ())
    known = {re.split("[:=]", host, maxsplit=1)[0] for host in hosts}
    hosts += [line for called, line in sorted(_far(standing).items()) if called not in known]
    # Who shares another's network shares its names: there they are written.
    if hosts and not standing.service.network_mode.startswith(_SHARED):
        body["extra_hosts"] = hosts


_SHARED = ("service:", "container:")


def _far(standing: Standing) -> dict[str, Said]:
    """Return name → host line of the services on other nodes that this one, or who shares its network, calls."""
    own = standing.service.name
    shared = f"service:{own.name}"
    lines = {}
    for name in (own, *(one for one in standing.here if one.project == own.project)):
        service = standing.fleet.services[name]
        if name != own and service.network_mode != shared:
            continue
        for called, target in _called(service):
            nodes = standing.nodes.get(target, ())
            if nodes and target not in standing.here:
                address = address_of(standing.fleet.nodes[nodes[0]])
                lines[called] = Said(f"{called}:{address}", f"{target.name} stands on {nodes[0]}")
    return lines


def _called(service: Service) -> Iterator[tuple[str, Name]]:
    """Yield the names by which a service calls others, with who that is."""
    for name in service.body.get("depends_on") or ():
        yield name, Name(service.name.project, name)
    for link in service.body.get("links") or ():
        yield _link(service, link)


def _link(service: Service, link: str) -> tuple[str, Name]:
    """Return the name that `db` or `db:alias` is called by, and who that is."""
    name, _, alias = link.partition(":")
    return alias or name, Name(service.name.project, name)


def address_of(node: Node) -> str:
    """Return what stands for a node's address in a file: the address if it is one, else a variable.

    `extra_hosts` takes no host names, so a name is resolved when the file is rolled out.
    """
    try:
        return str(ipaddress.ip_address(node.address))
    except ValueError:
        return f"${{{variable_of(node)}:?the IP address of {node.name}}}"


def variable_of(node: Node) -> str:
    """Return the variable that holds a node's address when files are rolled out."""
    return "BAYPLAN_ADDRESS_" + "".join(char if char.isalnum() else "_" for char in node.name.upper())
