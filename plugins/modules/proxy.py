#!/usr/bin/python
"""Tell a proxy where the services behind it stand."""

from __future__ import annotations

DOCUMENTATION = r"""
module: proxy
short_description: Tell a proxy where the services behind it stand
description:
  - Writes the files of an edge's proxy and lets nginx read them again, without a request being lost.
  - A reload returns before the switch. This module remembers the workers and returns when those are gone, so what
    served before may be stopped afterwards.
  - What nginx refuses is taken back before it reads it.
  - A proxy that does not run reads its files when it starts; then they are only written.
version_added: "0.1.0"
author: bayplan
extends_documentation_fragment: [bayplan.fleet.common]
options:
  edge:
    description: Name of the edge.
    type: str
    required: true
  container:
    description: The proxy as C(project/service).
    type: str
    required: true
  upstream:
    description: The upstream whose servers change. Needs O(servers).
    type: str
  servers:
    description: Its servers from now on, as C(address:port); none is allowed.
    type: list
    elements: str
  files:
    description: All files of the proxy, path → text; upstreams that are not among them are removed.
    type: dict
  addresses:
    description: C(BAYPLAN_ADDRESS_NODE) → address, for what stands in the files instead of addresses.
    type: dict
    default: {}
  only_missing:
    description: Whether files that are there stay as they are. Nothing is reloaded then.
    type: bool
    default: false
  deadline:
    description: Seconds within which the old workers have to be gone.
    type: int
    default: 60
"""

EXAMPLES = r"""
- name: Send the requests for web to its new place
  bayplan.fleet.proxy:
    fleet: shop
    edge: shop
    container: shop/edge-shop
    upstream: web
    servers: [192.0.2.7:8080]
"""

RETURN = r"""
reloaded:
  description: Whether nginx read its files again.
  returned: always
  type: bool
seconds:
  description: How long it took until the old workers were gone.
  returned: always
  type: float
workers:
  description: The processes that were waited for.
  returned: always
  type: list
  elements: int
"""

import time
from typing import TYPE_CHECKING, Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.bayplan.fleet.plugins.module_utils import files, hand, home, nginx, upstream
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import NodeError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ansible_collections.bayplan.fleet.plugins.module_utils.hand import Hand

SPEC: dict[str, Any] = {
    "edge": {"type": "str", "required": True},
    "container": {"type": "str", "required": True},
    "upstream": {"type": "str"},
    "servers": {"type": "list", "elements": "str"},
    "files": {"type": "dict"},
    "addresses": {"type": "dict", "default": {}},
    "only_missing": {"type": "bool", "default": False},
    "deadline": {"type": "int", "default": 60},
}


def work(told: Hand) -> dict[str, Any]:
    """Write what differs, and let the proxy follow."""
    folder = told.home.root / "proxy" / home.checked(told["edge"], "edge")
    changes = _changes(told, folder, _wanted(told, folder))
    proxy = None if told["only_missing"] else nginx.Proxy.of(told["container"])
    unread = [] if proxy is None else _unread(folder, proxy)
    found = {"changed": bool(changes), "reloaded": False, "seconds": 0.0, "workers": [], "diff": _diff(folder, changes)}
    if told.checking or not (changes or unread):
        return found
    noted = told.noted("proxy", service=told["container"], edge=told["edge"], files=sorted(changes))
    with told.at_work(), noted as end:
        before = {path: files.text_of(folder / path) for path in changes}
        _write(folder, changes)
        end.update(_followed(told, folder, proxy, before) if proxy is not None else {})
    return {**found, **end}


def _wanted(told: Hand, folder: Path) -> dict[str, str]:
    """Return path → text of the files that should be there."""
    if told["files"] is not None:
        given = upstream.checked(told["files"])
        return {path: upstream.filled(str(text), told["addresses"]) for path, text in given.items()}
    if not told["upstream"] or told["servers"] is None:
        raise NodeError("nothing says what the proxy should be told", "give upstream and servers, or files")
    path = f"upstreams/{home.checked(told['upstream'], 'upstream')}.conf"
    known = files.text_of(folder / path)
    if known is None:
        raise NodeError(f"there is no {folder / path}", "bring the files of the plan first")
    servers = [upstream.filled(one, told["addresses"]) for one in told["servers"]]
    return {path: upstream.replaced(known, servers)}


def _changes(told: Hand, folder: Path, wanted: Mapping[str, str]) -> dict[str, str | None]:
    """Return path → text of what is to be written; None: the file is to go."""
    there = {path: files.text_of(folder / path) for path in wanted}
    if told["only_missing"]:
        return {path: text for path, text in wanted.items() if there[path] is None}
    changes: dict[str, str | None] = {path: text for path, text in wanted.items() if there[path] != text}
    if told["files"] is not None:
        known = (str(one.relative_to(folder)) for one in _there(folder))
        changes.update(dict.fromkeys(path for path in known if path not in wanted))
    return changes


def _unread(folder: Path, proxy: nginx.Proxy) -> list[str]:
    """Return files that the proxy may not have read: an earlier run ended between writing and reading."""
    read = files.json_of(_record(folder)) or {}
    return [str(one) for one in _there(folder) if not proxy.read(one) and read.get(str(one)) != files.file_digest(one)]


def _there(folder: Path) -> list[Path]:
    """Return the files that the proxy reads."""
    upstreams = sorted((folder / "upstreams").glob("[!.]*.conf"))
    return [path for path in (folder / "nginx.conf", *upstreams) if path.exists()]


def _record(folder: Path) -> Path:
    """Return where stands what the proxy has read: path → digest. Beside its folder, which is mounted into it."""
    return folder.with_name(f".{folder.name}.read")


def _write(folder: Path, changes: Mapping[str, str | None]) -> None:
    """Write and remove files inside of their folder: the folder itself is mounted, and must stay the same one."""
    for path, text in changes.items():
        if text is None:
            files.remove(folder / path)
        else:
            files.write(folder / path, text)


def _followed(told: Hand, folder: Path, proxy: nginx.Proxy, before: Mapping[str, str | None]) -> dict[str, Any]:
    """Let the proxy read its files, and wait until nothing works by the old ones any more."""
    why = proxy.refusal()
    if why:
        _write(folder, before)
        raise NodeError(f"nginx refuses the new files of {told['container']}, so the old ones are back: {why}")
    workers = proxy.workers()
    began = time.monotonic()
    proxy.reload()
    if not nginx.gone(workers, began + told["deadline"]):
        _late(told, folder, proxy, workers, before)
    files.write_json(_record(folder), {str(one): files.file_digest(one) for one in _there(folder)})
    return {"reloaded": True, "seconds": round(time.monotonic() - began, 2), "workers": sorted(workers)}


def _late(
    told: Hand, folder: Path, proxy: nginx.Proxy, workers: Mapping[int, str], before: Mapping[str, str | None]
) -> None:
    """Say why the switch is not done: the master kept its old workers, or some of them do not end."""
    if set(proxy.workers()) <= set(workers):
        _write(folder, before)
        why = "went on with its old workers, so the old files are back; docker logs says why"
    else:
        many = len(nginx.left(dict(workers)))
        why = f"serves by the new files, but {many} old workers still answer requests; wait, or raise deadline"
    raise NodeError(f"{told['container']} {why} (after {told['deadline']} s)")


def _diff(folder: Path, changes: Mapping[str, str | None]) -> list[dict[str, str]]:
    return [
        {
            "before_header": str(folder / path),
            "after_header": str(folder / path),
            "before": files.text_of(folder / path) or "",
            "after": text or "",
        }
        for path, text in sorted(changes.items())
    ]


if __name__ == "__main__":
    hand.main(AnsibleModule, SPEC, work)
