#!/usr/bin/python
"""Data on its way from one node to another."""

from __future__ import annotations

DOCUMENTATION = r"""
module: data
short_description: Carry volumes and folders from one node to another
description:
  - The target pulls by rsync over ssh, with a key for each place that is good for reading that place and nothing else.
  - A copy is marked as incomplete until it was compared to the last byte; nothing starts on it before.
  - C(committed) is the point of no return; the source's containers are removed and fenced off, its data stays.
version_added: "0.1.0"
author: bayplan
extends_documentation_fragment: [bayplan.fleet.common]
options:
  state:
    description:
      - C(known) tells what the other end must know. C(keyed) makes keys on the target, C(offered) lets them in on the
        source, C(withdrawn) takes them away on both.
      - C(pulled) copies, C(verified) compares. C(checkpointed) asks databases to write what they hold back.
      - C(committed) fences services off on the source, C(lifted) takes such a fence away.
    type: str
    required: true
    choices: [known, keyed, offered, pulled, verified, checkpointed, committed, lifted, withdrawn]
  volumes:
    description: Volumes, each with C(project), C(key) and C(name).
    type: list
    elements: dict
    default: []
  paths:
    description: Folders and files by their absolute path, the same on both nodes.
    type: list
    elements: path
    default: []
  services:
    description: The services that leave or arrive, each with C(project) and C(service).
    type: list
    elements: dict
    default: []
  offered:
    description: What the source has, as C(known) returned it there.
    type: list
    elements: dict
    default: []
  public_keys:
    description: The target's keys, as C(keyed) returned them there.
    type: dict
    default: {}
    no_log: false
  host_keys:
    description: The source's host keys, as C(known) returned them there.
    type: list
    elements: str
    default: []
    no_log: false
  source_address:
    description: Address of the source.
    type: str
    default: ""
  source_port:
    description: Port of its sshd.
    type: int
    default: 22
  target_address:
    description: Address of the target; keys are good from there only.
    type: str
    default: ""
  hot:
    description: The services run meanwhile, so files may vanish.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Copy while it runs
  bayplan.fleet.data:
    plan: "{{ playbook_dir }}"
    wave: 4
    state: pulled
    hot: true
    offered: "{{ hostvars[source].known.offered }}"
    host_keys: "{{ hostvars[source].known.host_keys }}"
"""

RETURN = r"""
offered:
  description: What is there to carry, each with C(name) and C(kind).
  returned: when O(state=known)
  type: list
  elements: dict
host_keys:
  description: Public keys by which ssh knows the node.
  returned: when O(state=known)
  type: list
  elements: str
public_keys:
  description: Place → public key.
  returned: when O(state=keyed)
  type: dict
bytes:
  description: How many bytes came over the network.
  returned: when O(state=pulled)
  type: int
fences:
  description: The services that can no longer start here.
  returned: when O(state=committed)
  type: list
  elements: str
"""

import shutil
import time
from typing import TYPE_CHECKING, Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.bayplan.fleet.plugins.module_utils import (
    containers,
    engine,
    fetch,
    files,
    hand,
    machine,
    offer,
    places,
    postgres,
    stopping,
)
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import HELD, NodeError

if TYPE_CHECKING:
    from ansible_collections.bayplan.fleet.plugins.module_utils.hand import Hand
    from ansible_collections.bayplan.fleet.plugins.module_utils.places import Place

SPEC: dict[str, Any] = {
    "state": {"type": "str", "required": True},
    "volumes": {"type": "list", "elements": "dict", "default": []},
    "paths": {"type": "list", "elements": "path", "default": []},
    "services": {"type": "list", "elements": "dict", "default": []},
    "offered": {"type": "list", "elements": "dict", "default": []},
    "public_keys": {"type": "dict", "default": {}, "no_log": False},
    "host_keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
    "source_address": {"type": "str", "default": ""},
    "source_port": {"type": "int", "default": 22},
    "target_address": {"type": "str", "default": ""},
    "hot": {"type": "bool", "default": False},
}


def work(told: Hand) -> dict[str, Any]:
    """Do what the state asks for."""
    if told["state"] == "known":
        return known(told)
    if told.checking:
        return {"changed": told["state"] in ("pulled", "committed"), "fences": [], "bytes": 0}
    with told.at_work():
        return _STATES[told["state"]](told)


def known(told: Hand) -> dict[str, Any]:
    """Tell what the target has to know of this node."""
    found = places.on_source(told["volumes"], told["paths"])
    return {
        "changed": False,
        "host_keys": machine.host_keys(),
        "port": offer.port(),
        "offered": [{"name": one.name, "kind": _kind(one)} for one in found],
    }


def keyed(told: Hand) -> dict[str, Any]:
    """Make a key for each place."""
    folder = told.home.copy(told.plan, told["wave"])
    keys = offer.make_keys(folder, [(one.name, one.key_name) for one in _target(told)])
    return {"changed": True, "public_keys": keys}


def offered(told: Hand) -> dict[str, Any]:
    """Let the target's keys in, each for its place."""
    found = places.on_source(told["volumes"], told["paths"])
    wanted = offer.lines(found, told["public_keys"], told["target_address"], _mark(told))
    return {"changed": offer.grant(wanted, _mark(told))}


def pulled(told: Hand) -> dict[str, Any]:
    """Copy every place; one that is not ours and not the same already is left as it is."""
    start, road, copies = time.monotonic(), _road(told), []
    for wanted in _target(told):
        place = places.made(told.home, told.plan, wanted)
        if not places.is_empty(place) and not places.is_ours(told.home, told.plan, place):
            if not fetch.differs(road, place):
                places.proven(told.home, told.plan, place)
                continue
            raise NodeError(f"{place.name} is on this node already, with other content", "move it away first")
        places.begun(told.home, place)
        with told.noted("copy", hot=told["hot"], place=place.name) as said:
            said.update(fetch.pull(road, place, hot=told["hot"]))
        copies.append(said)
    return {
        "changed": True,
        "copies": copies,
        "bytes": sum(one["sent"] for one in copies),
        "seconds": round(time.monotonic() - start, 2),
        "final": not told["hot"],
    }


def verified(told: Hand) -> dict[str, Any]:
    """Compare every place with its source, to the last byte."""
    road = _road(told)
    for wanted in _target(told):
        place = places.made(told.home, told.plan, wanted)
        with told.noted("verify", place=place.name):
            lines = fetch.differs(road, place)
            if lines:
                raise NodeError(f"{place.name} is not the same here: {', '.join(lines[:3])}", "copy it again")
        places.proven(told.home, told.plan, place)
    return {"changed": False}


def checkpointed(told: Hand) -> dict[str, Any]:
    """Have PostgreSQL write what it holds back, so that little is left to copy; that it cannot is no failure."""
    for one in (each for name in told["services"] for each in engine.of_service(name["project"], name["service"])):
        if postgres.data_folder(one) and containers.is_running(one):
            env = dict(text.partition("=")[::2] for text in one["Config"].get("Env") or [])
            user = env.get("POSTGRES_USER", "postgres")
            words = ["psql", "-h", "127.0.0.1", "-U", user, "-d", env.get("POSTGRES_DB", user), "-c", "CHECKPOINT"]
            engine.docker("exec", one["Id"], *words, check=False, timeout=60)
    return {"changed": False}


def committed(told: Hand) -> dict[str, Any]:
    """Leave this node for good: nothing of it can write here any more."""
    found = places.on_source(told["volumes"], [])
    dirty = [why for place in found for folder in postgres.clusters(place.folder) if (why := postgres.unclean(folder))]
    if dirty:
        raise NodeError(dirty[0], "start it again, and look at its log")
    names = [f"{one['project']}.{one['service']}" for one in told["services"]]
    if all((told.home.fences / name).exists() for name in names):
        return {"changed": False, "fences": names}
    there = [each for one in told["services"] for each in engine.of_service(one["project"], one["service"])]
    running = [one["Name"].lstrip("/") for one in there if containers.is_running(one)]
    if running:
        raise NodeError(f"{', '.join(running)} runs here", "stop it first")
    with told.noted("commit", services=names, volumes=[place.name for place in found]):
        for name in names:
            files.write(told.home.fences / name, f"{told.plan}\n")
        for one in there:
            stopping.remove(one)
        for place in found:
            places.left(told.home, told.plan, place)
    return {"changed": True, "fences": names}


def lifted(told: Hand) -> dict[str, Any]:
    """Let services start here again."""
    names = [f"{one['project']}.{one['service']}" for one in told["services"]]
    gone = [name for name in names if files.remove(told.home.fences / name)]
    if gone:
        told.note("done", "lift", data={"services": gone})
    return {"changed": bool(gone)}


def withdrawn(told: Hand) -> dict[str, Any]:
    """Take the keys of the copy away."""
    folder = told.home.copy(told.plan, told["wave"])
    had = folder.is_dir()
    shutil.rmtree(folder, ignore_errors=True)
    return {"changed": offer.grant([], _mark(told)) or had}


def _kind(place: Place) -> str:
    return "volume" if place.name.startswith("volume:") else "file" if place.is_file else "folder"


def _target(told: Hand) -> list[Place]:
    return places.on_target(told["volumes"], told["offered"])


def _mark(told: Hand) -> str:
    return f"bayplan:{told['fleet']}:{told.plan}:{told['wave']}"


def _road(told: Hand) -> fetch.Road:
    road = fetch.Road(told["source_address"], told["source_port"], told.home.copy(told.plan, told["wave"]))
    if not told["host_keys"]:
        raise NodeError("the source named no key to know it by", "data state=known on the source first", HELD)
    files.write(road.folder / "known_hosts", road.known(told["host_keys"]))
    return road


_STATES = {
    "keyed": keyed,
    "offered": offered,
    "pulled": pulled,
    "verified": verified,
    "checkpointed": checkpointed,
    "committed": committed,
    "lifted": lifted,
    "withdrawn": withdrawn,
}


if __name__ == "__main__":
    hand.main(AnsibleModule, SPEC, work)
