"""Edges as nginx reads them: whole files by hand, servers that follow the seats, and what a move tells the proxies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bayplan.model.names import Instance, Name
from bayplan.model.placement import Placement, Seat
from bayplan.render.edges import edge_files, switches

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bayplan.model.fleet import Fleet

    from .conftest import Render

POLICY = """
nodes:
  a: {address: 192.0.2.7, cpus: 8, memory: 64GiB}
  b: {address: b.lan, cpus: 8, memory: 64GiB}
  c: {address: "2001:db8::5", cpus: 8, memory: 64GiB}
services:
  web: {compose: {image: "web:1", ports: ["8080:80"]}, replicas: 2, remap_ports: {8080: 18080}}
  api: {compose: {image: "api:1", ports: ["10.9.0.1:90:90", "91:91"]}}
edges:
  shop: {listen: 80, to: web, EDGE}
"""
WEB, API, PROXY = Name("shop", "web"), Name("shop", "api"), Name("shop", "edge-shop")
SEATS = {Instance(WEB): Seat("b"), Instance(WEB, 2): Seat("a"), Instance(API): Seat("a"), Instance(PROXY): Seat("c")}


@pytest.fixture
def fleet(read: Any) -> Callable[..., Fleet]:
    def make(edge: str, was: str = "to: web, EDGE") -> Fleet:
        policy = read(POLICY.replace("to: web, EDGE", f"to: web, {edge}" if was == "to: web, EDGE" else edge))
        assert not [one for one in policy.findings if one.is_error], policy.findings
        found: Fleet = policy.to_be
        return found

    return make


@pytest.fixture
def files(fleet: Callable[..., Fleet]) -> Callable[..., dict[str, str]]:
    def make(edge: str, seats: Mapping[Instance, Seat] = SEATS, whole: str = "") -> dict[str, str]:
        made = fleet(whole, "") if whole else fleet(edge)
        found = edge_files(made, Placement(dict(seats)), "policies/shop")
        assert {path.rpartition("/proxy/shop/")[0] for path in found} == {"c"}
        return {path.rpartition("/proxy/shop/")[2]: text for path, text in found.items()}

    return make


def test_the_whole_of_a_plain_edge(files: Callable[..., dict[str, str]]) -> None:
    made = files("path: /shop/, why: the way in")
    assert made["upstreams/web.conf"] == (
        "# Made by `bayplan compile policies/shop`; the servers follow the service wherever it stands.\n"
        "upstream web {\n"
        "    server ${BAYPLAN_ADDRESS_B}:18080 max_fails=1 fail_timeout=10s;\n"
        "    server 192.0.2.7:18080 max_fails=1 fail_timeout=10s;\n"
        "    keepalive 32;\n"
        "}\n"
    )
    assert sorted(made) == ["nginx.conf", "upstreams/web.conf"]
    assert made["nginx.conf"] == WHOLE


WHOLE = """\
# Made by `bayplan compile policies/shop` from the policy `policies/shop`; edit that, not this file.
# the way in
worker_processes 1;  # as many as its CPU limit has use for
worker_shutdown_timeout 10s;  # after a reload the old workers finish what is under way, but not for ever
pid /run/nginx.pid;
error_log /dev/stderr warn;

events {
    worker_connections 1024;
}

http {
    access_log /dev/stdout;
    server_tokens off;
    client_max_body_size 0;  # how much may be sent is for the services to say

    # A connection that becomes a WebSocket says so on; every other one stays open for the next request.
    map $http_upgrade $connection_upgrade {
        default upgrade;
        "" "";
    }

    proxy_http_version 1.1;
    proxy_set_header Connection $connection_upgrade;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Host $http_host;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Host $http_host;
    proxy_set_header X-Forwarded-Proto $scheme;

    proxy_connect_timeout 5s;
    proxy_read_timeout 60s;
    proxy_send_timeout 60s;

    include upstreams/*.conf;

    server {
        listen 80 default_server;

        location /shop/ {
            proxy_pass http://web;
        }

        location / {
            return 404;
        }
    }

    # Its own health check asks here; nothing outside of the container reaches it.
    server {
        listen 127.0.0.1:8099;
        access_log off;

        location = /health {
            return 200;
        }

        location / {
            return 404;
        }
    }
}
"""


@pytest.mark.parametrize(
    ("edge", "line"),
    [
        ("balance: least_conn", "    least_conn;\n"),
        ("balance: ip_hash", "    ip_hash;\n"),
        ("balance: random", "    random two least_conn;\n"),
        ("keepalive: 7", "    keepalive 7;\n"),
        ("health: {max_fails: 3, fail_timeout: 1m30s}", ":18080 max_fails=3 fail_timeout=90s;\n"),
    ],
)
def test_what_an_upstream_is_told(files: Callable[..., dict[str, str]], edge: str, line: str) -> None:
    assert line in files(edge)["upstreams/web.conf"]


@pytest.mark.parametrize(
    ("edge", "line"),
    [
        ("timeouts: {connect: 500ms, read: 1h, send: 0.5s}", ("    proxy_connect_timeout 500ms;\n    proxy_read_timeout 3600s;\n"
         "    proxy_send_timeout 500ms;\n")),
        ("limits: {cpus: 2.5}", "worker_processes 3;"),
        ("why: 'two\\nlines; # and {'", "\n# two\\nlines; # and {\nworker_processes"),
    ],
)  # fmt: skip
def test_what_the_proxy_is_told(files: Callable[..., dict[str, str]], edge: str, line: str) -> None:
    assert line in files(edge)["nginx.conf"]


def test_no_keepalive_is_none(files: Callable[..., dict[str, str]]) -> None:
    assert "keepalive" not in files("keepalive: 0")["upstreams/web.conf"]


def test_several_routes(files: Callable[..., dict[str, str]]) -> None:
    made = files("", whole="routes: {/b/: web, /: {to: api, port: 91}, /c/: {to: api, port: 90}}")
    assert sorted(made) == [
        "nginx.conf",
        "upstreams/shop.api.90.conf",
        "upstreams/shop.api.91.conf",
        "upstreams/web.conf",
    ]
    routes = [line.strip() for line in made["nginx.conf"].splitlines() if "location /" in line or "proxy_pass" in line]
    assert routes[:6] == [
        "location / {", "proxy_pass http://shop.api.91;", "location /b/ {", "proxy_pass http://web;",
        "location /c/ {", "proxy_pass http://shop.api.90;",
    ]  # fmt: skip
    assert "return 404" not in made["nginx.conf"].split("# Its own health")[0]
    assert "    server 10.9.0.1:90 " in made["upstreams/shop.api.90.conf"], "the address that it is bound to"


def test_encrypted(files: Callable[..., dict[str, str]], render: Render) -> None:
    tls = "tls: {certificate: /etc/tls/shop.pem, key: /etc/keys/shop.key, redirect: 8099}"
    conf = files(tls)["nginx.conf"]
    assert "        listen 80 ssl http2 default_server;\n" in conf
    assert (
        "        ssl_certificate /tls/certificate/shop.pem;\n        ssl_certificate_key /tls/key/shop.key;\n" in conf
    )
    assert "        listen 8099 default_server;\n        return 301 https://$host:80$request_uri;\n" in conf
    assert "listen 127.0.0.1:8098;" in conf, "8099 is taken"
    seats = {"shop/web": "b", "shop/web#2": "a", "shop/api": "a", "shop/edge-shop": "c"}
    service = render(POLICY.replace("EDGE", tls), seats).service("c/shop/edge-shop")
    assert [(one["source"], one["target"], one["read_only"]) for one in service["volumes"]] == [
        ("/var/lib/bayplan/shop/proxy/shop", "/etc/nginx", True),
        ("/etc/tls", "/tls/certificate", True),
        ("/etc/keys", "/tls/key", True),
    ]
    assert [one["published"] for one in service["ports"]] == ["80", "8099"]


def test_the_usual_port_of_https_is_not_said(read: Any) -> None:
    tls = "tls: {certificate: /c, key: /k, redirect: 80}"
    made = read(POLICY.replace("listen: 80, to: web, EDGE", f"listen: 443, to: web, {tls}")).to_be
    assert "return 301 https://$host$request_uri;" in edge_files(made, Placement(SEATS), "p")["c/proxy/shop/nginx.conf"]


def test_nobody_serves(files: Callable[..., dict[str, str]]) -> None:
    """Nginx does not start with an empty upstream."""
    made = files("", {Instance(PROXY): Seat("c")})
    assert (
        "    server 127.0.0.1:1 max_fails=1 fail_timeout=10s down;  # no copy stands anywhere\n"
        in made["upstreams/web.conf"]
    )


def test_a_move_tells_the_proxies(fleet: Callable[..., Fleet]) -> None:
    """The copy that moves keeps its place in the list, so that ip_hash sends the clients of the others where it did."""
    made = fleet("balance: ip_hash")
    after = SEATS | {Instance(WEB): Seat("c")}
    assert switches(made, SEATS, after, WEB) == (
        {
            "edge": "shop",
            "upstream": "web",
            "node": "c",
            "from": ["${BAYPLAN_ADDRESS_B}:18080", "192.0.2.7:18080"],
            "to": ["[2001:db8::5]:18080", "192.0.2.7:18080"],
        },
    )
    assert switches(made, SEATS, after, API) == ()
    assert switches(made, SEATS, SEATS, WEB) == ()
    both = {**SEATS, Instance(PROXY): Seat("a")}
    assert [one["node"] for one in switches(made, SEATS, both | {Instance(WEB): Seat("c")}, WEB)] == ["a", "c"]
