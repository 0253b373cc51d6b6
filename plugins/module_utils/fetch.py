"""Carrying one place over from another node: rsync for folders and volumes, an archive for a single file."""

from __future__ import annotations

import io
import re
import shlex
import subprocess
import tarfile
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ansible_collections.bayplan.fleet.plugins.module_utils.command import run
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import NodeError

if TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.bayplan.fleet.plugins.module_utils.places import Place

_SAME = ["-aHAXS", "--numeric-ids", "--delete"]
_VANISHED = 24
"""rsync: files went away while it read. Normal while a service runs, an error once it is stopped."""
_STATS = {
    "files": re.compile(r"Number of regular files transferred: ([\d,]+)"),
    "literal": re.compile(r"Literal data: ([\d,]+)"),
    "matched": re.compile(r"Matched data: ([\d,]+)"),
    "sent": re.compile(r"Total bytes received: ([\d,]+)"),
}


@dataclass(frozen=True)
class Road:
    """How to reach the source.

    Attributes:
        address, port: of its sshd.
        folder: where the keys and the one known host are.
    """

    address: str
    port: int
    folder: Path

    def ssh(self, place: Place) -> list[str]:
        """Return the ssh command for one place: this key, this host, and no question asked."""
        options = ["BatchMode=yes", "IdentitiesOnly=yes", "StrictHostKeyChecking=yes", "ConnectTimeout=10",
                   "ServerAliveInterval=10", "ServerAliveCountMax=6",
                   f"UserKnownHostsFile={self.folder / 'known_hosts'}"]  # fmt: skip
        words = ["ssh", "-F", "/dev/null", "-i", str(self.folder / place.key_name), "-p", str(self.port)]
        return [*words, *(word for option in options for word in ("-o", option))]

    def known(self, host_keys: list[str]) -> str:
        """Return the text of known_hosts: the source with the keys that it named itself."""
        name = self.address if self.port == 22 else f"[{self.address}]:{self.port}"  # noqa: PLR2004 - ssh's own port
        return "".join(f"{name} {' '.join(key.split()[:2])}\n" for key in host_keys)


def pull(road: Road, place: Place, *, hot: bool) -> dict[str, Any]:
    """Make a place what the source has; return what that took."""
    start = time.monotonic()
    if place.is_file:
        content = _archive(road, place)
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            archive.extractall(place.folder.parent, numeric_owner=True)  # noqa: S202 - one file, by a name we asked for
        return {"name": place.name, "files": 1, "sent": len(content), "literal": len(content), "matched": 0,
                "seconds": _since(start)}  # fmt: skip
    words = ["rsync", *_SAME, "--inplace", "--stats", "-e", shlex.join(road.ssh(place))]
    done = run([*words, f"root@{road.address}:/", f"{place.folder}/"], check=False)
    if done.code and not (hot and done.code == _VANISHED):
        raise NodeError(f"{place.name} could not be copied from {road.address}: {done.last}", code=done.code)
    found = {key: _number(pattern, done.out) for key, pattern in _STATS.items()}
    return {"name": place.name, **found, "seconds": _since(start)}


def differs(road: Road, place: Place) -> list[str]:
    """Return what is not the same at both ends, to the last byte; nothing: the copy is whole."""
    if place.is_file:
        with tarfile.open(fileobj=io.BytesIO(_archive(road, place))) as archive:
            member = archive.getmembers()[0]
            content = archive.extractfile(member)
            mine = place.folder.stat() if place.folder.is_file() else None
            same = (
                content is not None
                and mine is not None
                and content.read() == place.folder.read_bytes()
                and (member.mode, member.uid, member.gid) == (mine.st_mode & 0o7777, mine.st_uid, mine.st_gid)
            )
        return [] if same else [place.folder.name]
    words = ["rsync", *_SAME, "--dry-run", "--checksum", "--itemize-changes", "-e", shlex.join(road.ssh(place))]
    done = run([*words, f"root@{road.address}:/", f"{place.folder}/"], check=False)
    if done.code:
        raise NodeError(f"{place.name} could not be compared with {road.address}: {done.last}", code=done.code)
    return [line for line in done.out.splitlines() if line.strip()]


def _archive(road: Road, place: Place) -> bytes:
    done = subprocess.run(  # noqa: S603 - a list of words
        [*road.ssh(place), f"root@{road.address}"], capture_output=True, stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        why = done.stderr.decode(errors="replace").strip()
        raise NodeError(f"{place.name} could not be read from {road.address}: {why}", code=done.returncode)
    return done.stdout


def _number(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.search(text)
    return int(found[1].replace(",", "")) if found else 0


def _since(start: float) -> float:
    return round(time.monotonic() - start, 2)
