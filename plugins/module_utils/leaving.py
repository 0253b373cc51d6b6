"""The source's part of a move: write out, leave for good, and, when it is called back, be allowed to start again."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ansible_collections.bayplan.fleet.plugins.module_utils import (
    containers,
    engine,
    files,
    marks,
    places,
    postgres,
    stopping,
)
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import NodeError

if TYPE_CHECKING:
    from ansible_collections.bayplan.fleet.plugins.module_utils.hand import Hand
    from ansible_collections.bayplan.fleet.plugins.module_utils.places import Place

_PATIENCE = 300
"""Seconds that a database has for its checkpoint; it runs meanwhile."""
_CHECKPOINT = (
    'user="${POSTGRES_USER:-postgres}"; PGPASSWORD="$POSTGRES_PASSWORD"; export PGPASSWORD; '
    'exec psql -h 127.0.0.1 -U "$user" -d "${POSTGRES_DB:-$user}" -c CHECKPOINT'
)
"""Asked inside of the container, by its own environment: no password is seen in the node's list of processes."""


def checkpointed(told: Hand) -> dict[str, Any]:
    """Have PostgreSQL write what it holds back, so that little is left to copy; that it cannot is no failure."""
    done = []
    for one in _containers(told):
        if postgres.data_folder(one) and containers.is_running(one):
            with suppress(NodeError):
                engine.docker("exec", one["Id"], "sh", "-c", _CHECKPOINT, timeout=_PATIENCE)
                done.append(one["Name"].lstrip("/"))
    return {"changed": False, "checkpointed": done}


def committed(told: Hand) -> dict[str, Any]:
    """Leave this node for good: nothing of it can write here any more."""
    names, there = fences(told), _containers(told)
    due = bool(there) or not is_fenced(told)
    if due and not told.checking:
        _refuse(told, there)
        with told.noted("commit", services=names, volumes=[one["name"] for one in told["volumes"]]):
            _fence(told, names)
            _clear(told, names, there)
    return {"changed": due, "fences": names}


def lifted(told: Hand) -> dict[str, Any]:
    """Let services start here, again or for the first time: from now on the data is theirs."""
    there = [name for name in fences(told) if (told.home.fences / name).exists()]
    if told.checking:
        return {"changed": bool(there)}
    names = [f"volume:{one['name']}" for one in told["volumes"]] + [f"path:{path}" for path in told["paths"]]
    marks.used(told.home, told.plan, names)
    for name in there:
        files.remove(told.home.fences / name)
    if there:
        told.note("done", "lift", services=there)
    return {"changed": bool(there)}


def fences(told: Hand) -> list[str]:
    """Return the names of the files that keep the services from starting here."""
    return [f"{one['project']}.{one['service']}" for one in told["services"]]


def is_fenced(told: Hand) -> bool:
    """Whether the services have left this node for good; what is here is their old data."""
    return bool(told["services"]) and all((told.home.fences / name).exists() for name in fences(told))


def _containers(told: Hand) -> list[dict[str, Any]]:
    return [each for one in told["services"] for each in engine.of_service(one["project"], one["service"])]


def _refuse(told: Hand, there: list[dict[str, Any]]) -> None:
    """Refuse to leave while something still writes, and when a database was not shut down."""
    if awake := [one["Name"].lstrip("/") for one in there if containers.is_running(one)]:
        raise NodeError(f"{', '.join(awake)} runs here", "stop it first: services state=stopped")
    busy = places.running()
    for place in places.on_source(told["volumes"], []):
        if others := places.users(place, busy, writing=True):
            raise NodeError(f"{', '.join(others)} can still write to {place.name}", "stop it, or let it move too")
        for why in _unclean(place):
            raise NodeError(why, "start it again and look at its log")


def _unclean(place: Place) -> list[str]:
    return [why for folder in postgres.clusters(place.folder) if (why := postgres.unclean(folder))]


def _fence(told: Hand, names: list[str]) -> None:
    """Write the fences, all or none: half of them would be neither here nor there."""
    done: list[str] = []
    try:
        for name in names:
            if not (told.home.fences / name).exists():
                files.write(told.home.fences / name, f"{told.plan}\n")
                done.append(name)
        files.sync_folder(told.home.root)
    except OSError:
        for name in done:
            files.remove(told.home.fences / name)
        raise


def _clear(told: Hand, names: list[str], there: list[dict[str, Any]]) -> None:
    """Remove the containers, and mark what stays as old. The services have left, whether this works or not."""
    try:
        for place in places.on_source(told["volumes"], told["paths"]):
            marks.left(told.home, told.plan, place)
        for one in there:
            stopping.remove(one)
    except (NodeError, OSError) as fault:
        raise NodeError(f"{', '.join(names)} left this node, but not all is tidy: {fault}", fences=names) from fault
