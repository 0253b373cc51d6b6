"""`edges:` of a policy: each becomes a service, the proxy, and routes to published ports of others.

The proxy is a service like any other: placed, charged, limited, watched. Its configuration lies on the node outside of
every release, because a move rewrites a part of it while the proxy runs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from bayplan.finding import Finding, error
from bayplan.model.edge import Edge, Route, Tls
from bayplan.model.names import Name
from bayplan.model.units import UnitError, milliseconds
from bayplan.policy.forms import canonical_service
from bayplan.policy.groups import select
from bayplan.policy.overrides import Said, Section
from bayplan.policy.patterns import Names
from bayplan.policy.values import Findings, whole_number, word
from bayplan.source import Node as Yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bayplan.finding import Place
    from bayplan.model.service import Port, Service

IMAGE = "nginx:1.28-alpine"
LIMITS = {"cpus": "0.5", "memory": "64MiB"}
_LOOPBACK = ("127.", "::1", "localhost")
_ASKING = ("wget -q -O /dev/null", "curl -fs -o /dev/null", "busybox wget -q -O /dev/null")
"""Alpine's image has the first, Debian's the second, a small one of somebody's own perhaps the third alone."""
_OWN_PORTS = (8099, 8098, 8097)


def proxy_folder(fleet: str, edge: str) -> str:
    """Return the folder on the node that the proxy of an edge reads its configuration from."""
    return f"/var/lib/bayplan/{fleet}/proxy/{edge}"


def tls_files(tls: Tls) -> tuple[str, str]:
    """Return where the proxy finds its certificate and its key in its container."""
    return f"/tls/certificate/{PurePosixPath(tls.certificate).name}", f"/tls/key/{PurePosixPath(tls.key).name}"


def health_port(listen: int, redirect: int) -> int:
    """Return the port on which a proxy answers for itself, inside of its container only."""
    return next(port for port in _OWN_PORTS if port not in (listen, redirect))


@dataclass(frozen=True, slots=True)
class Proxies:
    """The services that edges stand for: what each is made from, and what the edge says of it as of a service."""

    written: Mapping[Name, Yaml]
    section: Section


def read_proxies(findings: Findings, document: Yaml, fleet: str, taken: Mapping[Name, object]) -> Proxies:
    """Return the proxies of a policy.

    Args:
        findings: takes the names that are taken already.
        document: the merged policy.
        fleet: whose project the proxies belong to.
        taken: the other services.
    """
    written: dict[Name, Yaml] = {}
    exact: dict[Name, Said] = {}
    for key, node in _edges(document):
        name = Name(fleet, f"edge-{key}")
        if name in taken:
            message = f"becomes the service {name}, which there is already"
            findings.append(error("edges/name-taken", node.here, f"edges.{key}", message, "rename one of the two"))
            continue
        written[name] = node.with_value({"compose": _tree(_compose(fleet, key, node), node.here)})
        exact[name] = Said.of(f"edges.{key}", canonical_service(_said(node)))
    return Proxies(written, Section({}, exact))


def _edges(document: Yaml) -> Iterator[tuple[str, Yaml]]:
    section = document.get("edges")
    for key, node in sorted(section.items()) if section is not None else ():
        if node.is_map and node.get("listen") is not None:  # the schema has named what is none
            yield key, node


def _said(node: Yaml) -> Yaml:
    """Return what an edge says of its proxy, in the form that `services:` has."""
    own = node.get("limits")
    limits = {key: Yaml(amount, node.here) for key, amount in LIMITS.items()} | dict(own.items() if own else ())
    said = {key: found for key in ("placement", "why") if (found := node.get(key)) is not None}
    return node.with_value({"limits": Yaml(limits, node.here), **said})


def _compose(fleet: str, key: str, node: Yaml) -> dict[str, Any]:
    tls = node.get("tls")
    listen, redirect = _ports(node)
    answers = f"http://127.0.0.1:{health_port(listen, redirect)}/health"
    mounts = [(proxy_folder(fleet, key), "/etc/nginx")]
    if tls is not None:
        # Folders, not files: a mounted file stays the old one when another is renamed into its place.
        mounts += [(str(PurePosixPath(word(tls.get(what))).parent), f"/tls/{what}") for what in ("certificate", "key")]
    return {
        "image": word(node.get("image"), IMAGE),
        "ports": [{"target": port, "published": str(port), "protocol": "tcp"} for port in (listen, redirect) if port],
        "volumes": [
            {"type": "bind", "source": source, "target": target, "read_only": True,
             "bind": {"create_host_path": False}}
            for source, target in mounts
        ],
        "healthcheck": {
            "test": [
                "CMD-SHELL",
                " || ".join(f"{program} {answers}" for program in _ASKING),
            ],
            "interval": "5s", "timeout": "3s", "retries": 3, "start_period": "5s",
        },
        "restart": "unless-stopped",
        "stop_signal": "SIGQUIT",  # requests that are under way are answered first
        "stop_grace_period": "15s",
    }  # fmt: skip


def _ports(node: Yaml) -> tuple[int, int]:
    tls = node.get("tls")
    return whole_number(node.get("listen"), 0), whole_number(tls.get("redirect"), 0) if tls is not None else 0


def _tree(value: Any, place: Place) -> Yaml:
    if isinstance(value, dict):
        return Yaml({key: _tree(child, place) for key, child in value.items()}, place)
    if isinstance(value, list):
        return Yaml(tuple(_tree(child, place) for child in value), place)
    return Yaml(value, place)


def read_edges(findings: Findings, document: Yaml, fleet: str, services: Mapping[Name, Service]) -> dict[str, Edge]:
    """Return the edges of a policy by name; a route that cannot be reached is a finding.

    Args:
        findings: takes what is wrong.
        document: the merged policy.
        fleet: whose project the proxies belong to.
        services: all services TO-BE.
    """
    edges = {}
    reached = _Reached(services, Names(services))
    for key, node in _edges(document):
        name = Name(fleet, f"edge-{key}")
        if name in services:
            edges[key] = _edge(findings, key, node, name, reached)
    return edges


@dataclass(frozen=True, slots=True)
class _Reached:
    """The services that routes may lead to, and their names."""

    services: Mapping[Name, Service]
    names: Names


def _edge(findings: Findings, key: str, node: Yaml, name: Name, reached: _Reached) -> Edge:
    health, waits = node.get("health") or _nothing(node), node.get("timeouts") or _nothing(node)
    fresh = Edge(key, name, whole_number(node.get("listen"), 0), (), place=node.here)

    def time(where: Yaml, what: str, default: int) -> int:
        return _time(findings, f"edges.{key}", where.get(what), default)

    return replace(
        fresh,
        routes=tuple(_routes(findings, key, node, reached)),
        balance=word(node.get("balance"), fresh.balance),
        keepalive=whole_number(node.get("keepalive"), fresh.keepalive),
        max_fails=whole_number(health.get("max_fails"), fresh.max_fails),
        fail_timeout=time(health, "fail_timeout", fresh.fail_timeout),
        connect=time(waits, "connect", fresh.connect),
        read=time(waits, "read", fresh.read),
        send=time(waits, "send", fresh.send),
        tls=_tls(node),
        why=word(node.get("why")),
    )


def _nothing(node: Yaml) -> Yaml:
    return node.with_value({})


def _time(findings: Findings, subject: str, node: Yaml | None, default: int) -> int:
    if node is None or node.value is None:
        return default
    try:
        return milliseconds(node.string)
    except UnitError as fault:
        findings.say("units/unreadable", node, subject, str(fault))
        return default


def _tls(node: Yaml) -> Tls | None:
    tls = node.get("tls")
    return None if tls is None else Tls(word(tls.get("certificate")), word(tls.get("key")), _ports(node)[1])


# --- routes ---


def _routes(findings: Findings, key: str, node: Yaml, reached: _Reached) -> Iterator[Route]:
    found: list[tuple[str, Name, Port]] = []
    for path, to, asked in _asked(findings, key, node):
        service = _service(findings, key, to, reached)
        published = _published(service, whole_number(asked, 0)) if service is not None else ""
        if service is not None and not isinstance(published, str):
            found.append((path, service.name, published))
        elif service is not None:
            findings.append(_unreachable(key, to, service, str(published)))
    alike: dict[str, set[tuple[Name, int]]] = {}
    for _, name, port in found:
        alike.setdefault(name.name, set()).add((name, port.target))
    for path, name, port in sorted(found, key=lambda one: one[0]):
        yield Route(path, _upstream(name, port, alone=len(alike[name.name]) == 1), name, port)


def _asked(findings: Findings, key: str, node: Yaml) -> Iterator[tuple[str, Yaml, Yaml | None]]:
    """Yield path, service and port of each route."""
    routes, to = node.get("routes"), node.get("to")
    if to is not None:
        yield word(node.get("path"), "/"), to, node.get("port")
    elif node.get("path") is not None or node.get("port") is not None:
        message = "says path or port, which go with `to`: under routes each path is a key"
        remedy = "write routes: {/api/: {to: backend, port: 8000}}"
        findings.append(error("edges/without-to", node.here, f"edges.{key}", message, remedy))
    for path, one in routes.items() if routes is not None else ():
        target = one.get("to") if one.is_map else one
        if path.startswith("/") and target is not None:
            yield path, target, one.get("port")


def _service(findings: Findings, key: str, to: Yaml, reached: _Reached) -> Service | None:
    found, missing = select(to, reached.names)
    if missing is not None:
        findings.append(missing)
    elif len(found) > 1:
        message = f"'{to.string}' is a pattern; a route leads to one service"
        findings.append(error("edges/one-service", to.here, f"edges.{key}", message, f"write {found[0]}"))
    return reached.services[found[0]] if missing is None and len(found) == 1 else None


def _published(service: Service, asked: int) -> Port | str:
    """Return the port at which other nodes reach a service; if there is none, why."""
    ports = {
        (port.target, port.host_ip): replace(port, published=service.remap_ports.get(port.published, port.published))
        for port in service.ports
        if port.published is not None and port.protocol == "tcp"
    }
    suiting = [port for (target, _), port in sorted(ports.items()) if asked in (0, target)]
    if not suiting:
        return f"publishes no TCP port{f' for its port {asked}' if asked else ''}"
    outside = [port for port in suiting if not port.host_ip.startswith(_LOOPBACK)]
    if not outside:
        return f"publishes {suiting[0]} to its own node alone"
    targets = sorted({port.target for port in outside})
    if len(targets) > 1:
        return f"publishes several ports ({', '.join(map(str, targets))})"
    return outside[0]


def _unreachable(key: str, to: Yaml, service: Service, why: str) -> Finding:
    several = why.startswith("publishes several")
    message = f"{service.name} {why}; a proxy reaches published ports, wherever the service stands"
    publish = f'publish one: services.{service.name}: {{compose: {{ports: ["8080:8080"]}}}}'
    remedy = "say which with port:" if several else publish
    return error("edges/unreachable", to.here, f"edges.{key}", message, remedy)


def _upstream(name: Name, port: Port, *, alone: bool) -> str:
    """Return what the copies of a service are called together: its name, with more where that is not enough."""
    return name.name if alone else f"{name.project}.{name.name}.{port.target}"
