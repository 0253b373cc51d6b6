"""How nodes are reached: one key for all labs, one configuration for each."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from .engine import work
from .process import alone, run

if TYPE_CHECKING:
    from collections.abc import Mapping


def key() -> Path:
    """Return the private key of the user `deploy` on every node; made once."""
    path = work() / "ssh" / "id"
    with alone(work() / "ssh.lock"):
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "bayplan-lab", "-f", str(path)])
    return path


def control_path(lab: str) -> str:
    """Return where shared connections live: by address, so that whoever connects to a node shares the same one.

    Not in the cache: the path of a socket may have about a hundred characters, and ssh appends some of its own.
    """
    folder = Path(tempfile.gettempdir()) / f"bayplan-lab-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return str(folder / f"{lab}-%h")


def write_config(path: Path, lab: str, addresses: Mapping[str, str]) -> None:
    """Write the ssh configuration of a lab: its nodes by name, and what holds for them by name or address."""
    hosts = "".join(f"Host {name}\n  HostName {address}\n" for name, address in addresses.items())
    options = {
        "User": "deploy",
        "IdentityFile": key(),
        "IdentitiesOnly": "yes",
        "StrictHostKeyChecking": "no",  # a node of the same name and address comes and goes, each with its own key
        "UserKnownHostsFile": "/dev/null",
        "LogLevel": "ERROR",
        "ConnectTimeout": 5,
        "ServerAliveInterval": 2,  # a node that was cut off is noticed
        "ServerAliveCountMax": 3,
        "ControlMaster": "auto",
        "ControlPersist": 60,
        "ControlPath": control_path(lab),
    }
    common = "Host *\n" + "".join(f"  {option} {value}\n" for option, value in options.items())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(hosts + common, encoding="utf-8")


def inventory(config: Path, lab: str, addresses: Mapping[str, str]) -> str:
    """Return a static Ansible inventory of the nodes.

    It says the path of shared connections too: those of Ansible's own, nobody would hang up when a node is cut off.
    """
    variables = {
        "ansible_user": "deploy",
        "ansible_ssh_private_key_file": key(),
        "ansible_ssh_common_args": f"-F {config} -o ControlPath={control_path(lab)}",
        "ansible_python_interpreter": "/usr/bin/python3",
    }
    lines = ["nodes:", "  vars:", *(f"    {name}: {value}" for name, value in variables.items()), "  hosts:"]
    lines += [f"    {name}: {{ansible_host: {address}}}" for name, address in addresses.items()]
    return "\n".join([*lines, ""])


def hang_up(config: Path, node: str) -> None:
    """End the shared connection to a node, if there is one: what was cut off would keep it waiting."""
    run(["ssh", "-F", str(config), "-O", "exit", node], check=False, timeout=20)
