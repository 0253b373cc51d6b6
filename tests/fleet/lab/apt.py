"""What apt of this machine can give: the address of its Debian mirror, programs to install, packages to unpack."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .process import LabError, run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ETC = Path("/etc/apt")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
ARCHIVE = {"bookworm", "trixie", "sid", "oldstable", "stable", "testing", "unstable"}
"""Suites by which the archive is known: what Debian's other addresses serve has a longer name (`-security`)."""


@dataclass(frozen=True)
class Mirror:
    """Where this machine has Debian from."""

    address: str

    def entry(self, suite: str) -> str:
        """Return the line of `sources.list` for a suite."""
        return f"deb [signed-by={KEYRING}] {self.address} {suite} main\n"


def mirror(etc: Path = ETC) -> Mirror:
    """Return the first Debian archive of apt's own configuration: no address is written down here."""
    files = [
        etc / "sources.list",
        *sorted(etc.glob("sources.list.d/*.list")),
        *sorted(etc.glob("sources.list.d/*.sources")),
    ]
    for file in (one for one in files if one.is_file()):
        lines = file.read_text(encoding="utf-8").splitlines()
        for address, suites, components in _stanzas(lines) if file.suffix == ".sources" else _lines(lines):
            if ARCHIVE & set(suites) and "main" in components and address.startswith(("http:", "https:", "file:")):
                return Mirror(address.rstrip("/"))
    raise LabError(f"{etc} names no Debian archive: `main` of {' or '.join(sorted(ARCHIVE))}.")


def _lines(lines: Iterable[str]) -> Iterator[tuple[str, list[str], list[str]]]:
    """Read the one-line format: `deb [options] address suite component…`."""
    for line in lines:
        head, _, options = line.partition("#")[0].partition("[")
        words = (head + options.partition("]")[2]).split() if options else head.split()
        if len(words) > 3 and words[0] == "deb":
            yield words[1], [words[2]], words[3:]


def _stanzas(lines: Iterable[str]) -> Iterator[tuple[str, list[str], list[str]]]:
    """Read the format of `.sources`: stanzas of `Key: value`, continued by lines that begin with a space."""
    fields: dict[str, str] = {}
    key = ""
    for line in [*lines, ""]:
        if line.strip() and not line.startswith("#"):
            if not line[0].isspace():
                key, _, line = line.partition(":")  # noqa: PLW2901
                key = key.strip().lower()
            fields[key] = f"{fields.get(key, '')} {line.strip()}"
        elif not line.strip():
            if "deb" in fields.get("types", "").split() and fields.get("enabled", "").strip().lower() != "no":
                for address in fields.get("uris", "").split():
                    yield address, fields.get("suites", "").split(), fields.get("components", "").split()
            fields = {}


def install(programs: dict[str, str]) -> None:
    """Install the packages of those programs (program → package) that are not there."""
    missing = sorted({package for program, package in programs.items() if not shutil.which(program)})
    if not missing:
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    if run(
        ["apt-get", "-qq", "install", "--no-install-recommends", "-y", *missing], check=False, env=environment
    ).returncode:
        run(["apt-get", "-qq", "update"])
        run(["apt-get", "-qq", "install", "--no-install-recommends", "-y", *missing], env=environment)


def unpack(packages: Iterable[str], suite: str, into: Path) -> None:
    """Unpack packages of another suite into a folder, by lists of their own: this machine's apt learns nothing."""
    apt = into.with_name(into.name + ".apt")
    for folder in ("lists/partial", "cache/archives/partial", "debs"):
        (apt / folder).mkdir(parents=True, exist_ok=True)
    (apt / "sources.list").write_text(mirror().entry(suite), encoding="utf-8")
    settings = {
        "Dir::Etc::sourcelist": apt / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": apt / "lists",
        "Dir::Cache": apt / "cache",
        "APT::Sandbox::User": "root",  # apt's own user may not look into the caller's cache
        "Acquire::Languages": "none",
    }
    options = ["-qq", *(word for key, value in settings.items() for word in ("-o", f"{key}={value}"))]
    run(["apt-get", *options, "update"])
    run(["env", "-C", str(apt / "debs"), "apt-get", *options, "download", *packages])
    fresh = into.with_name(into.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    for deb in sorted((apt / "debs").glob("*.deb")):
        run(["dpkg-deb", "-x", str(deb), str(fresh)])
    shutil.rmtree(apt)
    fresh.rename(into)


def proxy() -> dict[str, str]:
    """Return the proxy that apt goes through here, as the variables that others know it by."""
    said = run(["apt-config", "shell", "PROXY", "Acquire::http::Proxy"], check=False).stdout
    address = said.partition("'")[2].partition("'")[0]
    return {"http_proxy": address} if address else {}
