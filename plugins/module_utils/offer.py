"""What the source of a copy lets the target do: read one place each, by a key that is good for nothing else."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from ansible_collections.bayplan.fleet.plugins.module_utils import files
from ansible_collections.bayplan.fleet.plugins.module_utils.command import run
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import NodeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ansible_collections.bayplan.fleet.plugins.module_utils.places import Place

AUTHORIZED = Path("/root/.ssh/authorized_keys")
_RRSYNC = (Path("/usr/bin/rrsync"), Path("/usr/share/doc/rsync/scripts/rrsync"))


def lines(places: Iterable[Place], keys: Mapping[str, str], address: str, mark: str) -> list[str]:
    """Return a line of authorized_keys for each place: who comes from where, with which key, may run what."""
    found = []
    for place in places:
        key = keys.get(place.name, "")
        if not key:
            raise NodeError(f"the target has no key for {place.name}", "make keys first: data state=keyed")
        kind, text = key.split()[:2]
        allowed = _command(place).replace('"', '\\"')
        found.append(f'restrict,from="{address}",command="{allowed}" {kind} {text} {mark}')
    return found


def _command(place: Place) -> str:
    """Return the one command that a key allows: to read a folder by rsync, or a file as an archive."""
    if place.is_file:
        return f"tar -C {shlex.quote(str(place.folder.parent))} --numeric-owner -c {shlex.quote(place.folder.name)}"
    program = next((one for one in _RRSYNC if one.is_file()), None)
    if program is None:
        raise NodeError("there is no rrsync on this node", "install rsync, which brings it")
    return f"{program} -ro {shlex.quote(str(place.folder))}"


def grant(wanted: list[str], mark: str) -> bool:
    """Write the lines, instead of others with the same mark; whether anything changed."""
    text = files.text_of(AUTHORIZED) or ""
    others = [line for line in text.splitlines() if not line.endswith(f" {mark}")]
    new = "".join(f"{line}\n" for line in [*others, *wanted])
    if new == text or (not wanted and others == text.splitlines()):
        return False
    AUTHORIZED.parent.mkdir(mode=0o700, exist_ok=True)
    files.write(AUTHORIZED, new, 0o600)
    return True


def port() -> int:
    """Return the port on which sshd listens."""
    done = run(["/usr/sbin/sshd", "-T"], check=False)
    found = [line.split()[1] for line in done.out.splitlines() if line.startswith("port ")]
    return int(found[0]) if found else 22


def make_keys(folder: Path, places: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Make a key for each place, unless it is there; return place → public key.

    Args:
        folder: where the private keys are kept until the copy is over.
        places: name of each place, and the name of its key's file.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = {}
    for name, key in places:
        file = folder / key
        if not file.is_file():
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "bayplan", "-f", str(file)])
        found[name] = (folder / f"{key}.pub").read_text(encoding="ascii").strip()
    return found
