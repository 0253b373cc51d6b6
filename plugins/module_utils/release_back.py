"""The files of a node as they were before a plan: the current release and our slices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible_collections.bayplan.fleet.plugins.module_utils import files, snapshot
from ansible_collections.bayplan.fleet.plugins.module_utils.command import run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.bayplan.fleet.plugins.module_utils.home import Home


def differences(home: Home, before: Mapping[str, Any]) -> list[str]:
    """Return what is not as it was: the release, and units by name."""
    now, then = snapshot.units(), before["units"]
    found = [f"unit {name}" for name in sorted({*now, *then}) if now.get(name) != then.get(name)]
    if home.current_plan() != before["release"]:
        found.append(f"release {home.current_plan() or 'none'}, {before['release'] or 'none'} before")
    return found


def put(home: Home, before: Mapping[str, Any]) -> bool:
    """Put units and release back; whether anything was not as it was."""
    if not differences(home, before):
        return False
    now, then = snapshot.units(), before["units"]
    for name, text in then.items():
        if now.get(name) != text:
            files.write(snapshot.UNITS / name, text)
    for name in now.keys() - then.keys():
        files.remove(snapshot.UNITS / name)
    if now != then:
        run(["systemctl", "daemon-reload"])
    if before["release"]:
        files.link(home.current, f"releases/{before['release']}")
    else:
        files.remove(home.current)
    return True
