"""What a PostgreSQL data folder says of itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_STATE_AT = 16
"""Where `state` is in global/pg_control: behind a system identifier of 8 bytes and two versions of 4."""
_STATES = {0: "starting up", 1: "shut down", 2: "shut down in recovery", 3: "shutting down", 6: "in production"}
_CLEAN = (1, 2)
_DEPTH = 3
"""How deep in a volume a data folder is looked for: images put it at the top, in `data`, in `15/main`."""


def data_folder(inspected: Mapping[str, Any]) -> str:
    """Return PGDATA of a container; empty: it is no PostgreSQL."""
    env = dict(one.partition("=")[::2] for one in inspected["Config"].get("Env") or [])
    return str(env.get("PGDATA", ""))


def on_node(inspected: Mapping[str, Any]) -> Path | None:
    """Return where a container's data folder is on the node; None: inside of the container, or nowhere."""
    inside = data_folder(inspected)
    mounts = [one for one in inspected.get("Mounts") or [] if _below(inside, one["Destination"])]
    if not inside or not mounts:
        return None
    mount = max(mounts, key=lambda one: len(one["Destination"]))
    return Path(mount["Source"]) / inside[len(mount["Destination"].rstrip("/")) :].lstrip("/")


def clusters(folder: Path, depth: int = _DEPTH) -> Iterator[Path]:
    """Yield the data folders at or below a folder; a base backup is none: it was taken while its server ran."""
    try:
        if (folder / "PG_VERSION").is_file() and (folder / "global").is_dir():
            if not (folder / "backup_label").is_file():
                yield folder
        elif depth:
            for one in sorted(folder.iterdir()):
                if one.is_dir() and not one.is_symlink():
                    yield from clusters(one, depth - 1)
    except PermissionError:
        return


def unclean(folder: Path) -> str:
    """Return why a data folder was not left in peace; empty: it was."""
    try:
        head = (folder / "global" / "pg_control").read_bytes()[: _STATE_AT + 4]
    except OSError as fault:
        return f"{folder}/global/pg_control cannot be read ({fault.strerror})"
    state = int.from_bytes(head[_STATE_AT:], "little")
    return (
        "" if state in _CLEAN else f"PostgreSQL in {folder} is {_STATES.get(state, f'in state {state}')}, not shut down"
    )


def _below(path: str, top: str) -> bool:
    return f"{path}/".startswith(f"{top.rstrip('/')}/")
