"""Carrying one place over from another node: rsync for folders and volumes, an archive for a single file."""

from __future__ import annotations

import re
import shlex
import time
from typing import TYPE_CHECKING, Any

from ansible_collections.bayplan.fleet.plugins.module_utils import files, places, single
from ansible_collections.bayplan.fleet.plugins.module_utils.command import Done, run
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import NodeError
from ansible_collections.bayplan.fleet.plugins.module_utils.road import remedy

if TYPE_CHECKING:
    from ansible_collections.bayplan.fleet.plugins.module_utils.places import Place
    from ansible_collections.bayplan.fleet.plugins.module_utils.road import Road

_SAME = ["-aHAX", "--numeric-ids", "--delete", "--modify-window=-1"]
"""All there is of a file. Times are compared to the nanosecond: a second is long enough for another write."""
_VANISHED = 24
"""rsync: files went away while it read. Normal while a service runs, an error once it is stopped."""
_PARTIAL = 23
"""rsync: not all came over. While a service runs, a file that shrank under its hands; the second time, an error."""
_STATS = {
    "files": re.compile(r"Number of regular files transferred: ([\d,]+)"),
    "literal": re.compile(r"Literal data: ([\d,]+)"),
    "matched": re.compile(r"Matched data: ([\d,]+)"),
    "sent": re.compile(r"Total bytes received: ([\d,]+)"),
}


def pull(road: Road, place: Place, *, hot: bool, by_content: bool = False) -> dict[str, Any]:
    """Make a place what the source has, down to the disk; return what that took.

    The source's copy is given up soon, so this one must survive a power cut. While services run, the whole disk is
    written out, with all that others have on it; when they stand still, only the files that came.

    Args:
        road: to the source.
        place: what.
        hot: whether services may be writing to it.
        by_content: whether to read all of it, instead of trusting times and sizes.
    """
    if place.is_file:
        return single.pull(road, place, hot=hot)
    start = time.monotonic()
    words = [
        "--stats",
        *(["--checksum"] if by_content else []),
        *([] if hot or not _can_sync() else ["--fsync"]),
    ]
    done = _rsync(road, place, *_in_place(place), *words)
    if hot and done.code == _PARTIAL:
        done = _rsync(road, place, *_in_place(place), *words)
    if done.code and not (hot and done.code == _VANISHED):
        raise _fault(f"{place.name} could not be copied from {road.address}", done)
    if "--fsync" in words:
        files.sync_folder(place.folder)
    else:
        run(["sync", "-f", str(place.folder)])
    return {"name": place.name, **stats(done.out), "seconds": round(time.monotonic() - start, 2)}


def _in_place(place: Place) -> list[str]:
    """Return how files are written: over what is there, --sparse would leave in place what has become zero."""
    return ["--inplace", *(["--sparse"] if places.is_empty(place) else [])]


def differs(road: Road, place: Place) -> list[str]:
    """Return what is not the same at both ends, to the last byte; nothing: the copy is whole."""
    if place.is_file:
        return single.differs(road, place)
    done = _rsync(road, place, "--dry-run", "--checksum", "--itemize-changes")
    if done.code:
        raise _fault(f"{place.name} could not be compared with {road.address}", done)
    return [line for line in done.out.splitlines() if line.strip()]


def stats(text: str) -> dict[str, int]:
    """Return what rsync counted: files, bytes over the network, bytes that were new, bytes that were here already."""
    found = {key: pattern.search(text) for key, pattern in _STATS.items()}
    return {key: int(one[1].replace(",", "")) if one else 0 for key, one in found.items()}


def _can_sync() -> bool:
    """Whether rsync can write each file to the disk by itself; it can from 3.2.4 on."""
    return run(["rsync", "--fsync", "--version"], check=False).code == 0


def _rsync(road: Road, place: Place, *more: str) -> Done:
    words = ["rsync", *_SAME, *more, "-e", shlex.join(road.ssh(place)), road.top, f"{place.folder}/"]
    return run(words, check=False)


def _fault(sentence: str, done: Done) -> NodeError:
    return NodeError(f"{sentence}: {done.last}", remedy(done.err), code=done.code)
