"""Edges as nginx reads them: a configuration, and a file for each service that stands behind it.

What a move rewrites stands in a file of its own: the servers of one upstream. A server is a node's address with the
port that is published there. An address that is a host name stays `${BAYPLAN_ADDRESS_<NODE>}` until it is rolled out:
nginx resolves names only when it starts, and does not start if one has no answer.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from bayplan.model.quantity import CPUS
from bayplan.policy.edges import health_port, tls_files
from bayplan.render.texts import text, time
from bayplan.render.ties import variable_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bayplan.model.edge import Edge, Route
    from bayplan.model.fleet import Fleet, Node
    from bayplan.model.names import Instance, Name
    from bayplan.model.placement import Placement, Seat

_BALANCE: Mapping[str, tuple[str, ...]] = {"round_robin": (), "random": ("random two least_conn",)}


def edge_files(fleet: Fleet, placement: Placement, policy: str) -> dict[str, str]:
    """Return `<node>/proxy/<edge>/<file>` → text, for each node that has the proxy of an edge.

    Args:
        fleet: TO-BE.
        placement: where its copies stand.
        policy: the policy folder as it is written in the header.
    """
    files: dict[str, str] = {}
    for name, edge in sorted(fleet.edges.items()):
        made = _files(fleet, edge, placement.seats, policy)
        for node in nodes_of(placement.seats, edge.service):
            files |= {f"{node}/proxy/{name}/{path}": made[path] for path in made}
    return files


def _files(fleet: Fleet, edge: Edge, seats: Mapping[Instance, Seat], policy: str) -> dict[str, str]:
    limit = fleet.services[edge.service].limits.get(CPUS)
    certificate, key = tls_files(edge.tls) if edge.tls else ("", "")
    conf = text(
        "nginx/nginx.conf",
        policy=policy,
        edge=edge,
        workers=max(1, -(-limit.amount // 1000)) if limit else 1,
        whole=any(route.path == "/" for route in edge.routes),
        certificate=certificate,
        key=key,
        health=health_port(edge.listen, edge.tls.redirect if edge.tls else 0),
    )
    balance = _BALANCE.get(edge.balance, (edge.balance,))
    upstreams = {
        f"upstreams/{route.upstream}.conf": text(
            "nginx/upstreams/upstream.conf",
            policy=policy,
            edge=edge,
            name=route.upstream,
            balance=balance,
            leaves_out=f"max_fails={edge.max_fails} fail_timeout={time(edge.fail_timeout)}",
            servers=servers(fleet, seats, route),
        )
        for route in edge.routes
    }
    return {"nginx.conf": conf, **upstreams}


def nodes_of(seats: Mapping[Instance, Seat], service: Name) -> tuple[str, ...]:
    """Return the nodes on which copies of a service stand, in the order of the copies, each once."""
    return tuple(dict.fromkeys(seat.node for copy, seat in sorted(seats.items()) if copy.service == service))


def servers(fleet: Fleet, seats: Mapping[Instance, Seat], route: Route) -> tuple[str, ...]:
    """Return `address:port` of the nodes that have copies of a route's service.

    They stand in the order of the copies: where one moves, ip_hash sends the clients of all others where it did.
    """
    own = route.port.host_ip
    return tuple(
        f"{_bracketed(own) if own not in _EVERYWHERE else _address(fleet.nodes[node])}:{route.port.published}"
        for node in nodes_of(seats, route.service)
    )


_EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 - compared with, never bound to


def _address(node: Node) -> str:
    try:
        return _bracketed(str(ipaddress.ip_address(node.address)))
    except ValueError:
        return f"${{{variable_of(node)}}}"


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def switches(
    fleet: Fleet, before: Mapping[Instance, Seat], after: Mapping[Instance, Seat], service: Name
) -> tuple[dict[str, Any], ...]:
    """Return what proxies have to learn when the copies of a service change their seats.

    Returns:
        By edge, upstream and node of the proxy: `edge`, `upstream`, `node`, and the servers `from` which, `to` which.
    """
    return tuple(
        {"edge": edge.name, "upstream": route.upstream, "node": node, "from": list(old), "to": list(new)}
        for edge, route in _routes_to(fleet, service)
        if (old := servers(fleet, before, route)) != (new := servers(fleet, after, route))
        for node in sorted({*nodes_of(before, edge.service), *nodes_of(after, edge.service)})
    )


def _routes_to(fleet: Fleet, service: Name) -> Iterator[tuple[Edge, Route]]:
    """Yield each edge that leads to a service, with one route for each upstream."""
    for _, edge in sorted(fleet.edges.items()):
        found = {route.upstream: route for route in edge.routes if route.service == service}
        yield from ((edge, route) for _, route in sorted(found.items()))
