"""The folder of a plan, read on the control node: what the roles' steps are told without passing through a template."""

from __future__ import annotations

import ipaddress
import json
import os
import socket
from functools import lru_cache
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

SCHEMA_VERSION = 1


@lru_cache(maxsize=4)
def read(folder: str) -> dict[str, Any]:
    """Return rollout.json of a plan's folder."""
    file = Path(folder) / "rollout.json"
    try:
        data: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise AnsibleActionFail(f"{folder} holds no plan ({fault}); bayplan plan makes one") from fault
    if data.get("schema_version") != SCHEMA_VERSION:
        raise AnsibleActionFail(f"{file} was written by another version of bayplan; make the plan again")
    return data


def wave_of(data: dict[str, Any], number: int) -> dict[str, Any]:
    """Return a wave by its number."""
    for wave in data["waves"]:
        if wave["number"] == number:
            return dict(wave)
    raise AnsibleActionFail(f"plan {data['plan']} has no wave {number}")


def owner() -> dict[str, Any]:
    """Return who runs this: host, user, and the process of ansible-playbook, whose end frees what it held."""
    pid = os.getppid()
    return {"host": socket.gethostname(), "user": os.environ.get("USER", ""), "pid": pid, "since": started(pid)}


def started(pid: int) -> str:
    """Return when a process was started, in ticks since boot; empty if there is none, so that a pid is not mistaken."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]


def run_id(data: dict[str, Any]) -> str:
    """Return the name of this run: the same in all tasks of one ansible-playbook."""
    who = owner()
    return f"{data['plan']}-{who['host']}-{who['pid']}-{who['since']}"


def resolved(address: str) -> str:
    """Return the IP address of a node; Docker's extra_hosts takes no names."""
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        pass
    try:
        return str(socket.getaddrinfo(address, None, type=socket.SOCK_STREAM)[0][4][0])
    except OSError as fault:
        raise AnsibleActionFail(f"the address {address} cannot be resolved ({fault.strerror})") from fault


class PlanAction(ActionBase):  # type: ignore[misc]  # ansible-core ships no types
    """An action that tells the module of its own name what a plan says about this node."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Read the plan if the task names one, and run the module."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        del tmp
        known = task_vars or {}
        given = dict(self._task.args)
        folder = given.pop("plan", None)
        if folder:
            data = read(str(folder))
            node = str(known["inventory_hostname"])
            if node not in data["nodes"]:
                raise AnsibleActionFail(f"{node} is no node of plan {data['plan']}")
            common = {"fleet": data["fleet"], "release_plan": data["plan"], "run": run_id(data)}
            given = {**common, **self.told(data, node, given, known)}
        result.update(self._execute_module(module_args=given, task_vars=task_vars))
        return result

    def told(self, data: dict[str, Any], node: str, given: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
        """Return the module's arguments beside fleet, plan and run."""
        raise NotImplementedError

    def addresses(self, data: dict[str, Any], known: dict[str, Any]) -> dict[str, str]:
        """Return node → IP address: what Ansible reaches it by, else what the policy says."""
        hosts = known.get("hostvars") or {}
        return {
            name: resolved(str((hosts.get(name) or {}).get("ansible_host") or node["address"] or name))
            for name, node in sorted(data["nodes"].items())
        }


def items_of(wave: dict[str, Any], node: str) -> list[dict[str, Any]]:
    """Return the services that a wave touches on a node, in order; both ends of a move have all of them."""
    if wave["kind"] == "move":
        return list(wave["services"]) if node in (wave["source"], wave["target"]) else []
    return list(wave["nodes"].get(node) or ())
