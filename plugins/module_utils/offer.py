"""What the source of a copy lets the target do: read one place each, by a key that is good for nothing else."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from ansible_collections.bayplan.fleet.plugins.module_utils import files
from ansible_collections.bayplan.fleet.plugins.module_utils.command import run
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import NodeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ansible_collections.bayplan.fleet.plugins.module_utils.places import Place

ROOT_HOME = Path("/root")
_SSHD = Path("/usr/sbin/sshd")
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
        if not allowed.isprintable():
            raise NodeError(f"{place.name!r} has a line break in its name", "give it another name")
        found.append(f'restrict,from="{address}",command="{allowed}" {kind} {text} {mark}')
    return found


def _command(place: Place) -> str:
    """Return the one command that a key allows: to read a folder by rsync, or a file as an archive."""
    if place.is_file:
        words = ["tar", "-C", str(place.folder.parent), "--numeric-owner", "-h", "-c", "--", place.folder.name]
        return shlex.join(words)
    program = next((one for one in _RRSYNC if os.access(one, os.X_OK)), None)
    if program is None:
        raise NodeError("there is no rrsync on this node", "install rsync 3.2.4 or newer, which brings it")
    return f"{program} -ro {shlex.quote(str(place.folder))}"


def granted(text: bytes, wanted: Iterable[str], mark: str) -> bytes:
    """Return authorized_keys with these lines instead of others with the same mark; all else stays to the byte."""
    end = f" {mark}".encode()
    others = [line for line in text.splitlines(keepends=True) if not line.rstrip(b"\r\n").endswith(end)]
    kept = b"".join(others)
    new = "".join(f"{line}\n" for line in wanted).encode()
    return kept + (b"\n" if new and kept and not kept.endswith(b"\n") else b"") + new


def grant(wanted: Iterable[str], mark: str, file: Path) -> bool:
    """Write the lines into authorized_keys; whether anything changed."""
    try:
        text = file.read_bytes()
    except FileNotFoundError:
        text = b""
    new = granted(text, wanted, mark)
    if new == text:
        return False
    if not file.parent.is_dir():
        file.parent.mkdir(mode=0o700)
    files.write_bytes(file.resolve(), new, 0o600)
    return True


def settings(address: str = "") -> dict[str, str]:
    """Return how sshd is set up for root coming from an address, the first of several values; nothing: no sshd."""
    if not _SSHD.exists():
        return {}
    who = ["-C", f"user=root,host={address},addr={address}"] if address else []
    found: dict[str, str] = {}
    for line in run([str(_SSHD), "-T", *who], check=False).out.splitlines():
        key, _, value = line.partition(" ")
        found.setdefault(key.lower(), value.strip())
    return found


def refusal(found: Mapping[str, str]) -> str:
    """Return why sshd would let root in by no key; empty: it would."""
    if found.get("permitrootlogin") == "no":
        return "PermitRootLogin is no"
    if found.get("pubkeyauthentication") == "no":
        return "PubkeyAuthentication is no"
    return "AuthorizedKeysFile is none" if found.get("authorizedkeysfile") == "none" else ""


def keys_file(found: Mapping[str, str]) -> Path:
    """Return where sshd looks for root's keys."""
    first = (found.get("authorizedkeysfile") or ".ssh/authorized_keys").split()[0]
    return ROOT_HOME / first.replace("%h", str(ROOT_HOME)).replace("%u", "root").replace("%%", "%")


def make_keys(folder: Path, places: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Make a key for each place, unless it is there; return place → public key.

    Args:
        folder: where the private keys are kept until the copy is over.
        places: name of each place, and the name of its key's file.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = {}
    for name, key in places:
        file, public = folder / key, folder / f"{key}.pub"
        if not (file.is_file() and public.is_file()):
            file.unlink(missing_ok=True)
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "bayplan", "-f", str(file)])
        found[name] = public.read_text(encoding="ascii").strip()
    return found
