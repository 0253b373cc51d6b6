"""Edges: ways in from outside, through a proxy that follows the services wherever they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayplan.finding import NOWHERE, Place

if TYPE_CHECKING:
    from bayplan.model.names import Name
    from bayplan.model.service import Port


@dataclass(frozen=True, slots=True)
class Route:
    """Requests below a path go to a service, at one of its published ports.

    Attributes:
        path: starts with `/`.
        upstream: what the copies are called together; the same service and port have the same name.
        service: who answers.
        port: the published port, after remapping.
    """

    path: str
    upstream: str
    service: Name
    port: Port


@dataclass(frozen=True, slots=True)
class Tls:
    """Certificate and key as files of the node; `redirect` is a port that sends everybody to the encrypted one."""

    certificate: str
    key: str
    redirect: int = 0


@dataclass(frozen=True, slots=True)
class Edge:
    """A proxy and what it passes on. Times are in thousandths of a second.

    Attributes:
        name, place, why: who it is, and where and why the policy says so.
        service: the proxy itself, a service like any other.
        listen: the port that it publishes.
        routes: by path; what no route takes is not found.
        balance: `round_robin`, `least_conn`, `ip_hash` or `random`.
        keepalive: idle connections that each worker keeps open to the copies.
        max_fails, fail_timeout: when a copy is left out, and for how long.
        connect, read, send: how long the proxy waits.
        tls: None for plain HTTP.
    """

    name: str
    service: Name
    listen: int
    routes: tuple[Route, ...]
    balance: str = "round_robin"
    keepalive: int = 32
    max_fails: int = 1
    fail_timeout: int = 10_000
    connect: int = 5_000
    read: int = 60_000
    send: int = 60_000
    tls: Tls | None = None
    place: Place = NOWHERE
    why: str = ""
