"""The target's part of a move: fetch every place, and prove that it is the same to the last byte."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ansible_collections.bayplan.fleet.plugins.module_utils import fetch, files, marks, places
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import NodeError
from ansible_collections.bayplan.fleet.plugins.module_utils.road import Road

if TYPE_CHECKING:
    from ansible_collections.bayplan.fleet.plugins.module_utils.hand import Hand
    from ansible_collections.bayplan.fleet.plugins.module_utils.places import Place


def pulled(told: Hand) -> dict[str, Any]:
    """Copy every place; one that is not ours and not the same already is left as it is, and then all others too."""
    start, road, copies = time.monotonic(), _road(told), []
    single = [one for one in wanted(told) if one.is_file]
    # Files first: making a volume asks Compose, which asks for the variables in the project's .env.
    for some in (single, [one for one in wanted(told) if not one.is_file]):
        for place in _free(told, road, some):
            marks.begun(told.home, place)
            with told.noted("copy", hot=told["hot"], place=place.name) as said:
                said.update(fetch.pull(road, place, hot=told["hot"]))
            copies.append(said)
    return {
        "changed": bool(copies),
        "copies": copies,
        "bytes": sum(one["sent"] for one in copies),
        "seconds": round(time.monotonic() - start, 2),
        "final": not told["hot"],
    }


def verified(told: Hand) -> dict[str, Any]:
    """Compare every place with its source, to the last byte; what times and sizes did not tell is copied once more."""
    start, road = time.monotonic(), _road(told)
    found = wanted(told)
    for place in found:
        with told.noted("verify", place=place.name) as said:
            before = time.monotonic()
            lines = fetch.differs(road, place)
            if lines:  # a write through a mapping may leave time and size as they were
                said["repaired"] = lines[:3]
                fetch.pull(road, place, hot=False, by_content=True)
                lines = fetch.differs(road, place)
            said["seconds"] = round(time.monotonic() - before, 2)
            if lines:
                raise NodeError(f"{place.name} is not the same here: {', '.join(lines[:3])}", "copy it again")
        marks.proven(told.home, place)
    return {
        "changed": False,
        "verified": [place.name for place in found],
        "seconds": round(time.monotonic() - start, 2),
    }


def wanted(told: Hand) -> list[Place]:
    """Return what is to come, of what the source has."""
    return places.on_target(told["volumes"], told["paths"], told["offered"])


def _free(told: Hand, road: Road, some: list[Place]) -> list[Place]:
    """Return the places to copy, made; refuse before the first byte if one of them is somebody else's."""
    found, busy = [], places.running()
    for one in some:
        place = places.made(told.home, told.plan, one)
        if (why := _foreign(told, place, busy)) and fetch.differs(road, place):
            raise NodeError(f"{place.name} {why}", "move it away, or copy with overwrite: true if nobody needs it")
        if why:
            marks.proven(told.home, place)  # the same already, as an .env that both nodes have
        else:
            found.append(place)
    sizes = {one["name"]: int(one.get("size") or 0) for one in told["offered"]}
    places.refuse_full((place, sizes[place.name]) for place in found)
    return found


def _foreign(told: Hand, place: Place, busy: list[dict[str, Any]]) -> str:
    """Return why what is in a place may not be replaced; empty: it may."""
    users = places.users(place, busy)
    if users:
        return f"is in use here by {', '.join(users)}, with other content"
    if places.is_empty(place) or told["overwrite"] or marks.is_ours(told.home, told.plan, place):
        return ""
    return "is on this node already, with other content"


def _road(told: Hand) -> Road:
    road = Road(told["source_address"], told["source_port"], told.home.copy(told.plan, told["wave"]))
    if not told["host_keys"]:
        raise NodeError("the source named no key to know it by", "call data state=known on the source first")
    if not told["source_address"]:
        raise NodeError("nothing says where the source is", "give source_address")
    missing = [place.name for place in wanted(told) if not (road.folder / place.key_name).is_file()]
    if missing:
        raise NodeError(f"there is no key for {missing[0]}", "call data state=keyed here, state=offered on the source")
    files.write(road.folder / "known_hosts", road.known(told["host_keys"]))
    return road
