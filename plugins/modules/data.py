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
      - C(committed) removes the stopped containers on the source and fences the services off there.
      - C(lifted) lets services start on a node, again or for the first time; it comes right before their start.
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
  overwrite:
    description: Whether to replace what is on the target already and is not a copy of ours. What runs there is safe.
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
  description: What is there to carry, each with C(name), C(kind) and C(size).
  returned: when O(state=known)
  type: list
  elements: dict
absent:
  description: What the plan carries and this node does not have. It is passed over.
  returned: when O(state=known)
  type: list
  elements: str
host_keys:
  description: Public keys by which ssh knows the node.
  returned: when O(state=known)
  type: list
  elements: str
port:
  description: Port of its sshd.
  returned: when O(state=known)
  type: int
public_keys:
  description: Place → public key.
  returned: when O(state=keyed)
  type: dict
copies:
  description: For each place C(name), C(files), C(sent), C(literal), C(matched) and C(seconds).
  returned: when O(state=pulled)
  type: list
  elements: dict
bytes:
  description: How many bytes came over the network.
  returned: when O(state=pulled)
  type: int
seconds:
  description: How long it took.
  returned: when O(state=pulled) or O(state=verified)
  type: float
final:
  description: Whether the services stood still meanwhile.
  returned: when O(state=pulled)
  type: bool
verified:
  description: The places that are equal at both ends.
  returned: when O(state=verified)
  type: list
  elements: str
checkpointed:
  description: The containers that wrote out what they held back.
  returned: when O(state=checkpointed)
  type: list
  elements: str
fences:
  description: The services that can no longer start here. A failure that has it came after the point of no return.
  returned: when O(state=committed)
  type: list
  elements: str
"""

import shutil
from typing import TYPE_CHECKING, Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.bayplan.fleet.plugins.module_utils import (
    carrying,
    files,
    hand,
    leaving,
    machine,
    offer,
    places,
)
from ansible_collections.bayplan.fleet.plugins.module_utils.errors import NodeError

if TYPE_CHECKING:
    from ansible_collections.bayplan.fleet.plugins.module_utils.hand import Hand

_ITSELF = ("known", "committed", "lifted")
"""States that keep check mode themselves."""
SPEC: dict[str, Any] = {
    "state": {
        "type": "str",
        "required": True,
        "choices": ["known", "keyed", "offered", "pulled", "verified", "checkpointed", "committed", "lifted",
                    "withdrawn"],
    },
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
    "overwrite": {"type": "bool", "default": False},
}  # fmt: skip


def work(told: Hand) -> dict[str, Any]:
    """Do what the state asks for."""
    state = told["state"]
    wrong = [path for path in told["paths"] if not path.startswith("/") or ".." in path.split("/") or path == "/"]
    if wrong:
        raise NodeError(f"'{wrong[0]}' is no path that can be carried", "write it from / on, and without '..'")
    if told.checking and state not in _ITSELF:
        return {"changed": state in ("keyed", "offered", "pulled"), "public_keys": {}, "copies": [], "bytes": 0}
    if state == "known":
        return known(told)
    with told.at_work():
        return _STATES[state](told)


def known(told: Hand) -> dict[str, Any]:
    """Tell what the target has to know of this node."""
    found = places.on_source(told["volumes"], told["paths"])
    names = [f"volume:{one['name']}" for one in told["volumes"]] + [f"path:{path}" for path in told["paths"]]
    return {
        "changed": False,
        "host_keys": machine.host_keys(),
        "port": int(offer.settings().get("port", 22)),
        "offered": [{"name": one.name, "kind": one.kind, "size": files.allocated(one.folder)} for one in found],
        "absent": [name for name in names if name not in {one.name for one in found}],
    }


def keyed(told: Hand) -> dict[str, Any]:
    """Make a key for each place."""
    folder = told.home.copy(told.plan, told["wave"])
    keys = offer.make_keys(folder, [(one.name, one.key_name) for one in carrying.wanted(told)])
    return {"changed": True, "public_keys": keys}


def offered(told: Hand) -> dict[str, Any]:
    """Let the target's keys in, each for its place."""
    if leaving.is_fenced(told):
        raise NodeError(f"{', '.join(leaving.fences(told))} left this node; its data here is old", "copy it from there")
    sshd = offer.settings(told["target_address"])
    if why := offer.refusal(sshd):
        raise NodeError(f"sshd lets nobody read all files here: {why}", "set PermitRootLogin prohibit-password")
    found = places.on_source(told["volumes"], told["paths"])
    wanted = offer.lines(found, told["public_keys"], told["target_address"], _mark(told))
    changed = offer.grant(wanted, _mark(told), offer.keys_file(sshd))
    if changed:
        told.note("done", "offer", places=[one.name for one in found], to=told["target_address"])
    return {"changed": changed}


def withdrawn(told: Hand) -> dict[str, Any]:
    """Take the keys of the copy away."""
    folder = told.home.copy(told.plan, told["wave"])
    had = folder.is_dir()
    if had:
        shutil.rmtree(folder)
    locked = offer.grant([], _mark(told), offer.keys_file(offer.settings()))
    if locked:
        told.note("done", "withdraw")
    return {"changed": locked or had}


def _mark(told: Hand) -> str:
    return f"bayplan:{told['fleet']}:{told.plan}:{told['wave']}"


_STATES = {
    "keyed": keyed,
    "offered": offered,
    "pulled": carrying.pulled,
    "verified": carrying.verified,
    "checkpointed": leaving.checkpointed,
    "committed": leaving.committed,
    "lifted": leaving.lifted,
    "withdrawn": withdrawn,
}


if __name__ == "__main__":
    hand.main(AnsibleModule, SPEC, work)
