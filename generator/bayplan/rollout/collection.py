"""Where the Ansible collection `bayplan.fleet` is found: in the wheel, or in the checkout that this code runs from."""

from __future__ import annotations

import os
from pathlib import Path

import bayplan
from bayplan.errors import BayplanError

_PACKAGE = Path(bayplan.__file__).parent
_CHECKOUT = _PACKAGE.parents[1]
_INSIDE = Path("ansible_collections", "bayplan", "fleet")


def collections_path() -> Path:
    """Return the folder to name in ANSIBLE_COLLECTIONS_PATH.

    The root of a checkout is the collection itself, but Ansible looks for `ansible_collections/bayplan/fleet`: a link
    of that name is made once, where git ignores it.

    Raises:
        BayplanError: if the collection is in neither place.
    """
    packed = _PACKAGE / "collection"
    if (packed / _INSIDE / "roles").is_dir():
        return packed
    if not (_CHECKOUT / "galaxy.yml").is_file():
        raise BayplanError("the Ansible collection bayplan.fleet is missing from this installation; install it again")
    folder = _CHECKOUT / ".ansible" / "collections"
    link = folder / _INSIDE
    if not link.exists():
        link.parent.mkdir(parents=True, exist_ok=True)
        _link(link)
    return folder


def _link(link: Path) -> None:
    """Make the link whole or not at all: two commands may start at once."""
    fresh = link.with_name(f".{link.name}.{os.getpid()}")
    fresh.symlink_to(Path(*[".."] * 4))
    fresh.replace(link)


def playbook(name: str) -> Path:
    """Return the path of one of the collection's playbooks."""
    return collections_path() / _INSIDE / "playbooks" / f"{name}.yml"
