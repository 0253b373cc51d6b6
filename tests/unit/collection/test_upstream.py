"""The files of a proxy as the module sees them: which there may be, addresses in them, other servers."""

from __future__ import annotations

import pytest
from ansible_collections.bayplan.fleet.plugins.module_utils import upstream
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import NodeError

TEXT = """\
# Made by somebody; server x;
upstream web {
    least_conn;
    server 192.0.2.1:80 max_fails=3 fail_timeout=30s;
    server 192.0.2.2:80 max_fails=3 fail_timeout=30s;
    keepalive 32;
}
"""
EMPTY = """\
# Made by somebody; server x;
upstream web {
    least_conn;
    server 127.0.0.1:1 max_fails=3 fail_timeout=30s down;  # no copy stands anywhere
    keepalive 32;
}
"""


def test_other_servers_are_left_out_after_as_many_failures() -> None:
    made = upstream.replaced(TEXT, ["[2001:db8::1]:8080", "front.lan:80"])
    assert made.splitlines()[3:5] == [
        "    server [2001:db8::1]:8080 max_fails=3 fail_timeout=30s;",
        "    server front.lan:80 max_fails=3 fail_timeout=30s;",
    ]
    assert upstream.replaced(made, ["192.0.2.1:80", "192.0.2.2:80"]) == TEXT


def test_nobody_and_back() -> None:
    assert upstream.replaced(TEXT, []) == EMPTY
    assert upstream.replaced(EMPTY, []) == EMPTY
    assert upstream.replaced(EMPTY, ["192.0.2.1:80", "192.0.2.2:80"]) == TEXT


def test_servers_without_anything_behind_them() -> None:
    assert upstream.replaced("upstream x {\n  server a:1;\n}\n", ["b:2"]) == "upstream x {\n    server b:2;\n}\n"


@pytest.mark.parametrize("server", ["web", "a:1; include /etc/passwd", "a b:1", "", "${X}:1", "a:123456"])
def test_what_is_no_server(server: str) -> None:
    with pytest.raises(NodeError, match="is no server; write it as address:port"):
        upstream.replaced(TEXT, [server])


def test_a_file_without_servers() -> None:
    with pytest.raises(NodeError, match="has no servers"):
        upstream.replaced("upstream web {}\n", ["a:1"])


def test_addresses_are_filled_in_and_nothing_else() -> None:
    text = "server ${BAYPLAN_ADDRESS_A_1}:80; set $host ${other};"
    assert upstream.filled(text, {"BAYPLAN_ADDRESS_A_1": "192.0.2.1"}) == "server 192.0.2.1:80; set $host ${other};"
    with pytest.raises(NodeError, match="nothing says what BAYPLAN_ADDRESS_A_1 is; give it under addresses"):
        upstream.filled(text, {})


def test_the_files_that_a_proxy_has() -> None:
    files = {"nginx.conf": "a", "upstreams/shop.web.80.conf": "b"}
    assert upstream.checked(files) == files


@pytest.mark.parametrize(
    "path", ["../x.conf", "upstreams/../../x.conf", "/etc/nginx.conf", "upstreams/.x.conf", "other"]
)
def test_the_files_that_it_has_not(path: str) -> None:
    with pytest.raises(NodeError, match="a proxy has no file"):
        upstream.checked({path: ""})
