"""The files of a plan on a node: written whole, never changed again, and current at one instant."""

from __future__ import annotations

import re
import shlex
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from ansible_collections.bayplan.fleet.plugins.module_utils import files
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import NodeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.bayplan.fleet.plugins.module_utils.home import Home

_VERSION = 1
_MODES = {"addresses.env": 0o600, "compose": 0o755}


def texts(
    given: Mapping[str, str], addresses: Mapping[str, str], projects: Mapping[str, Any], folder: Path
) -> dict[str, str]:
    """Return path → text of all files of a release: what the plan brings, and what makes it work here."""
    for name in given:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or not name.strip("/"):
            raise NodeError(f"'{name}' is no path inside of a release")
    found = dict(given)
    for name, project in projects.items():
        if f"{name}/compose.yaml" in given:
            found[f"{name}/addresses.env"] = env(addresses)
            found[f"{name}/compose"] = helper(name, str(project["root"]), folder / name)
    return found


def env(addresses: Mapping[str, str]) -> str:
    """Return the addresses of all nodes as variables for Compose."""
    return "".join(f"{variable(node)}={address}\n" for node, address in sorted(addresses.items()))


def variable(node: str) -> str:
    """Return the variable with a node's address."""
    return "BAYPLAN_ADDRESS_" + re.sub(r"[^A-Z0-9]", "_", node.upper())


def helper(name: str, root: str, folder: Path) -> str:
    """Return a script that is `docker compose` for one project of one release."""
    own, where = shlex.quote(f"{root}/.env"), shlex.quote(str(folder))
    what = f"-p {shlex.quote(name)} --project-directory {shlex.quote(root)} -f {where}/compose.yaml"
    return (
        "#!/bin/sh\n"
        f"# docker compose for {name} as this release says it. Name the services, and never run a plain `up`:\n"
        "# it would replace what had its limits changed live, and what depends on it.\n"
        f'[ ! -f {own} ] || set -- --env-file {own} "$@"\n'
        f'set -- --env-file {where}/addresses.env "$@"\n'
        f'exec docker compose {what} "$@"\n'
    )


def manifest(fleet: str, plan: str, projects: Mapping[str, Any], found: Mapping[str, str]) -> dict[str, Any]:
    """Return what a release consists of."""
    return {
        "schema_version": _VERSION,
        "fleet": fleet,
        "plan": plan,
        "projects": {name: {"root": str(one["root"])} for name, one in projects.items()},
        "files": {path: files.digest(text) for path, text in found.items()},
    }


def missing(folder: Path, found: Mapping[str, str]) -> list[str]:
    """Return the files that are not there, or not whole."""
    return sorted(path for path, text in found.items() if files.text_of(folder / path) != text)


def changed(folder: Path, listing: Mapping[str, Any]) -> list[str]:
    """Return the files that a release of this digest had with another text; addresses may move."""
    known = (files.json_of(folder / "manifest.json") or {}).get("files") or {}
    return sorted(
        path
        for path, digest in listing["files"].items()
        if known.get(path, digest) != digest and not path.endswith("/addresses.env")
    )


def write(folder: Path, found: Mapping[str, str], listing: Mapping[str, Any]) -> None:
    """Write files of a release, and last the list of all of them: without it the release is not there."""
    for path, text in sorted(found.items()):
        files.write(folder / path, text, _MODES.get(PurePosixPath(path).name, 0o644))
    files.write_json(folder / "manifest.json", listing, 0o644)


def torn(folder: Path) -> str:
    """Return why a release cannot be made the current one; empty: it can."""
    listing = files.json_of(folder / "manifest.json")
    if not listing:
        return f"{folder} holds no whole release"
    wrong = [
        path for path, digest in listing["files"].items() if files.digest(files.text_of(folder / path) or "") != digest
    ]
    return f"{', '.join(sorted(wrong))} in {folder} is not as it was written" if wrong else ""


def known_units(home: Home) -> set[str]:
    """Return the unit files that releases of this fleet have brought."""
    listings = [files.json_of(file) or {} for file in (home.root / "releases").glob("*/manifest.json")]
    paths = {path for listing in listings for path in listing.get("files") or {}}
    return {path.partition("/")[2] for path in paths if path.startswith("units/")}


def diff(home: Home, found: Mapping[str, str]) -> list[dict[str, str]]:
    """Return before and after of each file that the current release has otherwise."""
    before = {path: files.text_of(home.current / path) or "" for path in found}
    gone = (files.json_of(home.current / "manifest.json") or {}).get("files") or {}
    before.update({path: files.text_of(home.current / path) or "" for path in gone if path not in found})
    return [
        {"before_header": path, "after_header": path, "before": text, "after": found.get(path, "")}
        for path, text in sorted(before.items())
        if text != found.get(path, "") and not path.endswith("/compose")
    ]
