"""The files of a proxy: which there may be, and the servers of an upstream in one of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ansible_collections.bayplan.fleet.plugins.module_utils.errors import NodeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FILE = re.compile(r"nginx\.conf|upstreams/[A-Za-z0-9_][A-Za-z0-9_.-]*\.conf")
_VARIABLE = re.compile(r"\$\{(BAYPLAN_ADDRESS_[A-Z0-9_]+)\}")
_SERVERS = re.compile(r"^[ \t]*server[ \t]+\S+?(?P<given>[ \t][^;\n]*)?;[^\n]*\n", re.MULTILINE)
_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+):[0-9]{1,5}")
NOBODY = "127.0.0.1:1"
"""What stands in an upstream without servers: nginx does not start with none."""


def checked(files: Mapping[str, str]) -> dict[str, str]:
    """Return files by their path, which must be one that a proxy has."""
    for path in files:
        if not _FILE.fullmatch(path):
            raise NodeError(f"a proxy has no file '{path}'", "it has nginx.conf and upstreams/NAME.conf")
    return dict(files)


def filled(text: str, addresses: Mapping[str, str]) -> str:
    """Return a text with the addresses of nodes in it; all other dollars are nginx's own."""
    missing = sorted({name for name in _VARIABLE.findall(text) if name not in addresses})
    if missing:
        raise NodeError(f"nothing says what {missing[0]} is", "give it under addresses")
    return _VARIABLE.sub(lambda found: str(addresses[found[1]]), text)


def replaced(text: str, servers: Sequence[str]) -> str:
    """Return the text of an upstream with other servers, which are left out after as many failures as those before."""
    wrong = [one for one in servers if not _ADDRESS.fullmatch(one)]
    if wrong:
        raise NodeError(f"'{wrong[0]}' is no server", "write it as address:port")
    known = list(_SERVERS.finditer(text))
    if not known:
        raise NodeError("the upstream's file has no servers", "apply the plan that made it again")
    given = (known[0]["given"] or "").replace(" down", "")
    lines = [f"    server {one}{given};\n" for one in servers]
    lines = lines or [f"    server {NOBODY}{given} down;  # no copy stands anywhere\n"]
    return text[: known[0].start()] + "".join(lines) + text[known[-1].end() :]
