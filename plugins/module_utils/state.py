"""What containers cannot say themselves, because their labels never change.

`settled`: services whose limits were changed live, with the hash that Compose would give them now. Compose compares
labels and would replace them; for us they are what the release says.
`disarmed`: containers that we stopped, and the restart policies that were taken from them so that nothing revives them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible_collections.bayplan.fleet.plugins.module_utils import files

if TYPE_CHECKING:
    from pathlib import Path

_PARTS = ("settled", "disarmed")


def read(path: Path) -> dict[str, dict[str, Any]]:
    """Return the state."""
    found = files.json_of(path) or {}
    return {part: dict(found.get(part) or {}) for part in _PARTS}


def asleep(path: Path) -> frozenset[str]:
    """Return the ids of the containers that we stopped, and have not started since."""
    return frozenset(number for known in read(path)["disarmed"].values() for number in known)


def put(path: Path, part: str, service: str, value: Any) -> None:
    """Set or, with None, forget what is known of a service."""
    state = read(path)
    if state[part].get(service) == value:
        return
    if value is None:
        state[part].pop(service, None)
    else:
        state[part][service] = value
    files.write_json(path, state)
