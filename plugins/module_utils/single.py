"""Carrying one file: the source sends it as an archive, because a key for rsync would open its whole folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ansible_collections.bayplan.fleet.plugins.module_utils import files
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import NodeError
from ansible_collections.bayplan.fleet.plugins.module_utils.road import remedy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ansible_collections.bayplan.fleet.plugins.module_utils.places import Place
    from ansible_collections.bayplan.fleet.plugins.module_utils.road import Road

_CHANGED = 1
"""tar: the file changed while it read. Normal while a service runs."""


def pull(road: Road, place: Place, *, hot: bool) -> dict[str, Any]:
    """Make a file what the source has, at once: it is the old one or the new one, never half of it."""
    start = time.monotonic()
    with _sent(road, place, hot=hot) as (member, content, size):
        _put(place.folder, member, content)
    numbers = {"files": 1, "sent": size, "literal": member.size, "matched": 0}
    return {"name": place.name, **numbers, "seconds": round(time.monotonic() - start, 2)}


def differs(road: Road, place: Place) -> list[str]:
    """Return what is not the same at both ends; nothing: the copy is whole."""
    with _sent(road, place) as (member, content, _):
        try:
            mine = place.folder.stat()
        except FileNotFoundError:
            return [f"{place.folder.name} is not here"]
        found = {
            "mode": (member.mode & 0o7777, mine.st_mode & 0o7777),
            "owner": ((member.uid, member.gid), (mine.st_uid, mine.st_gid)),
            "size": (member.size, mine.st_size),
        }
        wrong = [what for what, (there, here) in found.items() if there != here]
        same = not wrong and _same(content, place.folder)
    return wrong or ([] if same else ["content"])


@contextmanager
def _sent(road: Road, place: Place, *, hot: bool = False) -> Iterator[tuple[tarfile.TarInfo, IO[bytes], int]]:
    """Fetch the archive and open the one file in it. Its name in there is not asked: we know where it belongs."""
    with tempfile.TemporaryFile(dir=road.folder) as file:
        words = [*road.ssh(place), road.login]
        done = subprocess.run(  # noqa: S603 - a list of words
            words, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.PIPE, check=False
        )
        if done.returncode and not (hot and done.returncode == _CHANGED):
            why = done.stderr.decode(errors="replace").strip()
            sentence = f"{place.name} could not be read from {road.address}: {why}"
            raise NodeError(sentence, remedy(why), code=done.returncode)
        size = file.tell()
        file.seek(0)
        with tarfile.open(fileobj=file) as archive:
            member = archive.next()
            content = archive.extractfile(member) if member else None
            if member is None or content is None:
                raise NodeError(f"{place.name} is no file on {road.address} any more", "make the plan again")
            yield member, content, size


def _put(path: Path, member: tarfile.TarInfo, content: IO[bytes]) -> None:
    number, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    fresh = Path(name)
    try:
        with os.fdopen(number, "wb") as file:
            shutil.copyfileobj(content, file)
            os.fchown(file.fileno(), member.uid, member.gid)
            os.fchmod(file.fileno(), member.mode & 0o7777)  # after the owner: a change of owner takes setuid away
            file.flush()
            os.utime(file.fileno(), (member.mtime, member.mtime))
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink()
        raise
    files.sync_folder(path.parent)


def _same(content: IO[bytes], path: Path) -> bool:
    with path.open("rb") as mine:
        while True:
            there, here = content.read(1 << 20), mine.read(1 << 20)
            if there != here:
                return False
            if not there:
                return True
