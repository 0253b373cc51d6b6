#!/usr/bin/python
"""The files of a plan on a node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release
short_description: Bring the files of a plan to a node, and make them the current ones
description:
  - A release is a folder with the Compose files of every project, the slices, and a list of digests.
  - Bringing it changes no service. Slices that are new or that grow are in force at once; one that shrinks waits for
    C(current), when what runs in it has shrunk.
version_added: "0.1.0"
author: bayplan
extends_documentation_fragment: [bayplan.fleet.common]
options:
  state:
    description: C(present) writes the files, C(current) turns the link and puts the remaining slices in force.
    type: str
    choices: [present, current]
    default: present
  files:
    description: Path → text. What is below C(units/) goes to systemd as well; only C(bayplan*.slice) is taken.
    type: dict
    default: {}
  addresses:
    description: Node → IP address, for the variables in Compose files.
    type: dict
    default: {}
  projects:
    description: Compose project → C(root), the folder that its relative paths begin at.
    type: dict
    default: {}
  networks:
    description: Networks that must be there before Compose is asked; those that are not are made as bridges.
    type: list
    elements: str
    default: []
  folders:
    description: Folders that must be there.
    type: list
    elements: path
    default: []
"""

EXAMPLES = r"""
- name: Bring the files
  bayplan.fleet.release:
    fleet: shop
    release_plan: 3f2a9c01d4e8
    files:
      shop/compose.yaml: "{{ lookup('file', 'compiled/shop/default/node1/shop/compose.yaml') }}"
    projects:
      shop: {root: /opt/shop}
"""

RETURN = r"""
path:
  description: Folder of the release.
  returned: always
  type: str
files:
  description: The files that were written.
  returned: always
  type: list
  elements: str
previous:
  description: Digest of the release that was current before; empty if there was none.
  returned: always
  type: str
units:
  description: Names of slices by what became of them, C(written), C(deferred), C(removed), C(kept).
  returned: always
  type: dict
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.bayplan.fleet.plugins.module_utils import cgroups, engine, files, hand, releases, units
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import NodeError

if TYPE_CHECKING:
    from ansible_collections.bayplan.fleet.plugins.module_utils.hand import Hand

SPEC: dict[str, Any] = {
    "state": {"type": "str", "choices": ["present", "current"], "default": "present"},
    "files": {"type": "dict", "default": {}},
    "addresses": {"type": "dict", "default": {}},
    "projects": {"type": "dict", "default": {}},
    "folders": {"type": "list", "elements": "path", "default": []},
    "networks": {"type": "list", "elements": "str", "default": []},
}


def work(told: Hand) -> dict[str, Any]:
    """Bring a release, or make it the current one."""
    with told.at_work():
        return present(told) if told["state"] == "present" else current(told)


def present(told: Hand) -> dict[str, Any]:
    """Write what is not there."""
    folder = told.home.release(told.plan)
    found = releases.texts(told["files"], told["addresses"], told["projects"], folder)
    listing = releases.manifest(told["fleet"], told.plan, told["projects"], found)
    if other := releases.changed(folder, listing):
        raise NodeError(f"release {told.plan} is here with other texts: {', '.join(other)}", "make the plan again")
    fresh = releases.missing(folder, found)
    whole = files.json_of(folder / "manifest.json") == listing
    folders = [Path(one) for one in [*told["folders"], *(one["root"] for one in told["projects"].values())]]
    todo = _units(told, found, last=False)
    make = [one for one in folders if not one.is_dir()]
    known = {one["Name"] for one in engine.every("network")} if told["networks"] else set()
    nets = [name for name in told["networks"] if name not in known]
    changed = bool(fresh or not whole or make or nets or todo.write)
    if changed and not told.checking:
        with told.noted("release", files=fresh, folders=[str(one) for one in make], units=sorted(todo.write)):
            for one in make:
                one.mkdir(parents=True, exist_ok=True)
            for name in nets:
                engine.docker("network", "create", "--driver", "bridge", name)
            releases.write(folder, {path: found[path] for path in fresh}, listing)
            units.carry_out(todo, cgroups.mounts())
    return {
        **_result(told, fresh, todo),
        "changed": changed,
        "diff": releases.diff(told.home, found) if changed else [],
    }


def current(told: Hand) -> dict[str, Any]:
    """Put the remaining slices in force, and turn the link."""
    folder = told.home.release(told.plan)
    if why := releases.torn(folder):
        if told.checking and not folder.exists():  # it would have been written by the task before
            return {**_result(told, [], units.Plan()), "changed": True}
        raise NodeError(why, "bring it first: release state=present")
    listing = files.json_of(folder / "manifest.json")["files"]
    todo = _units(told, {path: files.text_of(folder / path) or "" for path in listing}, last=True)
    result = _result(told, [], todo)
    turn = told.home.current_plan() != told.plan
    if not told.checking and (turn or todo.write or todo.remove):
        with told.noted("release", current=told.plan, previous=result["previous"], units=result["units"]):
            units.carry_out(todo, cgroups.mounts())
            files.link(told.home.current, f"releases/{told.plan}")
    return {**result, "changed": bool(turn or todo.write or todo.remove)}


def _units(told: Hand, found: dict[str, str], *, last: bool) -> units.Plan:
    wanted = units.names_of(found)
    old = releases.known_units(told.home)
    there = {name: text for name in {*wanted, *old} if (text := files.text_of(units.FOLDER / name)) is not None}
    return units.plan(wanted, there, old, units.used() if last and old - set(wanted) else set(), last=last)


def _result(told: Hand, fresh: list[str], todo: units.Plan) -> dict[str, Any]:
    names = {"written": sorted(todo.write), "deferred": list(todo.later)}
    return {
        "path": str(told.home.release(told.plan)),
        "files": fresh,
        "previous": told.home.current_plan(),
        "units": {**names, "removed": list(todo.remove), "kept": list(todo.keep)},
    }


if __name__ == "__main__":
    hand.main(AnsibleModule, SPEC, work)
