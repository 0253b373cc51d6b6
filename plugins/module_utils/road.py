"""The way to the source of a copy: whom we ask, with which key, and what it means when the answer is no."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ansible_collections.bayplan.fleet.plugins.module_utils.places import Place

_PORT = 22
_OPTIONS = (
    "BatchMode=yes",
    "IdentitiesOnly=yes",
    "StrictHostKeyChecking=yes",
    "UpdateHostKeys=no",
    "GlobalKnownHostsFile=/dev/null",
    "ConnectTimeout=10",
    "ServerAliveInterval=10",
    "ServerAliveCountMax=6",
)
_REMEDIES = (
    (
        "permission denied (",
        "its sshd must let root in by key (PermitRootLogin prohibit-password, see AllowUsers) from this node's address",
    ),
    ("host key verification failed", "it is not the machine that named its keys; look who answers at this address"),
    ("no matching host key", "its sshd has none of the keys in /etc/ssh; restart it there"),
    ("connection refused", "its sshd does not listen there"),
    ("timed out", "let this node reach its sshd through the firewalls"),
    ("no route to host", "let this node reach its sshd through the firewalls"),
    ("no space left", "make room on this node"),
    ("no such file or directory", "see whether it is still there"),
)
"""What ssh or rsync says → what to do about it."""


@dataclass(frozen=True)
class Road:
    """How to reach the source.

    Attributes:
        address, port: of its sshd.
        folder: where the keys and the one known host are.
    """

    address: str
    port: int
    folder: Path

    @property
    def login(self) -> str:
        """Return who we are there: only root may read everything."""
        return f"root@{self.address}"

    @property
    def top(self) -> str:
        """Return the folder that a key opens, as rsync wants to hear it."""
        return f"root@[{self.address}]:/" if ":" in self.address else f"{self.login}:/"

    def ssh(self, place: Place) -> list[str]:
        """Return the ssh command for one place: this key, this host, and no question asked."""
        options = (*_OPTIONS, f"UserKnownHostsFile={self.folder / 'known_hosts'}")
        words = ["ssh", "-F", "/dev/null", "-i", str(self.folder / place.key_name), "-p", str(self.port)]
        return [*words, *(word for option in options for word in ("-o", option))]

    def known(self, host_keys: Sequence[str]) -> str:
        """Return the text of known_hosts: the source with the keys that it named itself."""
        name = self.address if self.port == _PORT else f"[{self.address}]:{self.port}"
        return "".join(f"{name} {' '.join(key.split()[:2])}\n" for key in host_keys)


def remedy(said: str) -> str:
    """Return what to do about an answer; empty: it speaks for itself."""
    return next((advice for sign, advice in _REMEDIES if sign in said.lower()), "")
