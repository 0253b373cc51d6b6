"""Text files from disk: plain files only, inside of a border only, and only as much of one as can be handled."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from bayplan.finding import Finding, Place, error, visible

MAX_BYTES = 8 * 2**20
"""The largest file that is read."""

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
"""Opening never waits: what turns out to be a pipe has nobody at its other end."""


@dataclass(frozen=True, slots=True)
class Border:
    """The folder that nothing is read from outside of, whatever a path or a link says; its path is a real one."""

    root: str

    def holds(self, path: Path) -> bool:
        """Whether a path lies inside when all links are followed; what is no path at all is for its reader to name."""
        try:
            real = os.path.realpath(path)
        except (OSError, ValueError):
            return True
        return real == self.root or real.startswith(f"{self.root.rstrip('/')}/")


def border_of(folder: Path) -> Border:
    """Return the border of what a policy folder may name: its repository, or the folder that it lies in.

    The repository is the nearest folder, from this one upwards, that holds `.git`. Without one, the folder of a policy
    in `policies/` is the one that holds `policies/`, with all that lies beside it.
    """
    real = Path(os.path.realpath(folder))
    for above in (real, *real.parents):
        if os.path.lexists(above / ".git"):
            return Border(str(above))
    around = real.parent
    beside = around.name == "policies" and str(around.parent) != "/"
    return Border(str(around.parent if beside else around))


def outside(place: Place, name: str, border: Border) -> Finding:
    """Return the finding for a file that lies outside of a border; nothing of it is read."""
    message = f"lies outside of {shown(Path(border.root))}: nothing is read from there"
    remedy = "copy it to a place inside; what is inside is the policy's repository, or without one the folder around it"
    return error("source/outside", place, name, message, remedy)


def shown(path: Path) -> str:
    """Return how findings call a file: relative to where the command was started, if it lies below."""
    whole = Path(os.path.normpath(path.absolute()))  # not resolve(): a symlink is called as its user calls it
    here = Path.cwd()
    name = whole.relative_to(here).as_posix() if whole.is_relative_to(here) else str(path)
    return visible(name)  # a name need not be text


def is_there(path: Path) -> bool:
    """Whether something stands at a path, readable or not; a link that leads nowhere does."""
    try:
        return os.path.lexists(path)
    except ValueError:
        return False


def read_file(
    path: Path, name: str | None = None, border: Border | None = None
) -> tuple[str | None, tuple[Finding, ...]]:
    """Read a text file, UTF-8 with or without a byte order mark.

    Args:
        path: the file.
        name: what findings call it; the path by default.
        border: what it must lie inside of, if that matters.

    Returns:
        The text, or None if it cannot be read, and the findings.
    """
    called = name or str(path)
    if border is not None and not border.holds(path):
        return None, (outside(Place(called), called, border),)
    try:
        data = _contents(path)
    except (OSError, ValueError) as fault:
        reason = (fault.strerror if isinstance(fault, OSError) else "") or str(fault)
        remedy = "name a file that is there and that you may read"
        return None, (error("source/unreadable", Place(called), called, f"cannot be read: {reason}", remedy),)
    if len(data) > MAX_BYTES:
        message = f"is larger than {MAX_BYTES // 2**20} MiB"
        return None, (error("source/too-large", Place(called), called, message, "split it"),)
    return _decode(data, called)


def _contents(path: Path) -> bytes:
    """Return the bytes of a plain file, at most one more than can be handled.

    Raises:
        OSError: if it cannot be read, or is a folder, a pipe, a socket or a device.
        ValueError: if this is no path.
    """
    _plain(path.stat().st_mode)  # looked at before it is opened: opening a device may set it going
    with os.fdopen(os.open(path, _FLAGS), "rb") as handle:
        _plain(os.fstat(handle.fileno()).st_mode)
        return handle.read(MAX_BYTES + 1)


def _plain(mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise OSError("it is a folder" if stat.S_ISDIR(mode) else "it is a pipe, a socket or a device")


def _decode(data: bytes, name: str) -> tuple[str | None, tuple[Finding, ...]]:
    try:
        return data.decode("utf-8-sig"), ()
    except UnicodeDecodeError as fault:
        # The fault counts from behind the byte order mark, in its own copy of the data.
        before = fault.object[: fault.start].decode("utf-8")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = f"byte 0x{fault.object[fault.start]:02x} is not UTF-8"
        return None, (error("source/encoding", Place(name, line, column), name, message, "save the file as UTF-8"),)
