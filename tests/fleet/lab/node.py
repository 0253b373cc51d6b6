"""A node of a lab: a machine as far as anybody can tell who reaches it by SSH."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from . import ssh
from .network import LABEL
from .process import run, wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from .engine import Engine

UNREACHABLE = 255
"""How ssh ends when it is ssh that failed, not the command."""


@dataclass(frozen=True)
class Size:
    """How large a node is: its memory in bytes, and its share of this machine's cores (0: all of them)."""

    memory: int = 4 << 30
    cpus: float = 0


@dataclass(frozen=True)
class Node:
    """One node of a lab."""

    engine: Engine
    lab: str
    name: str
    address: str
    ssh_config: Path

    @property
    def container(self) -> str:
        """The name of the node as a container (and volume) of the outer engine."""
        return f"{self.lab}-{self.name}"

    def run(
        self,
        command: str,
        *,
        check: bool = True,
        sudo: bool = False,
        text: str | None = None,
        timeout: float | None = 600,
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell command on the node over SSH; `text` is its standard input."""
        line = f"sudo -n sh -c {shlex.quote(command)}" if sudo else command
        return run(["ssh", "-F", str(self.ssh_config), self.name, line], check=check, text=text, timeout=timeout)

    def docker(self, *words: str, check: bool = True, timeout: float | None = 600) -> subprocess.CompletedProcess[str]:
        """Run a command of the node's own docker."""
        return self.run(shlex.join(["docker", *words]), check=check, timeout=timeout)

    def put(self, text: str, path: str, *, mode: str = "644") -> None:
        """Write a file on the node, root's, with its folders."""
        file, folder = shlex.quote(path), shlex.quote(str(PurePosixPath(path).parent))
        self.run(f"mkdir -p {folder} && cat > {file} && chmod {mode} {file}", sudo=True, text=text)

    def read(self, path: str) -> str:
        """Return the text of a file on the node, whoever may read it."""
        return self.run(f"cat {shlex.quote(path)}", sudo=True).stdout

    def start(self, size: Size, image: str) -> None:
        """Make the node and let it boot; `wait` tells when it is there."""
        network = ("--network", self.lab, "--ip", self.address, "--hostname", self.name)
        limits = ("--memory", str(size.memory), "--memory-swap", str(size.memory), "--cpus", str(size.cpus))
        self.engine("volume", "create", "--label", f"{LABEL}={self.lab}", self.container)
        self.engine(
            "run", "--detach", "--name", self.container, "--label", f"{LABEL}={self.lab}",
            "--label", f"{LABEL}.node={self.name}", "--label", f"{LABEL}.address={self.address}",
            "--privileged", "--cgroupns", "private", *network, *limits,
            "--restart", "on-failure",  # so `reboot` on the node is one; the engine's own restart wakes nobody
            "--tmpfs", "/run:exec", "--tmpfs", "/run/lock", "--tmpfs", "/tmp:exec",  # noqa: S108 - of the node
            "--volume", f"{self.container}:/var/lib/docker",
            "--env", f"LAB_KEY={ssh.key().with_suffix('.pub').read_text(encoding='utf-8').strip()}",
            "--env", f"LAB_MEMORY={size.memory}", image,
        )  # fmt: skip

    def wait(self, seconds: float = 60) -> None:
        """Wait until the node can be reached and its docker answers."""
        wait_for(f"node {self.name} ({self.address}) answers", self.answers, seconds=seconds)

    def answers(self) -> bool:
        """Tell whether the node is reached by SSH and its docker answers."""
        try:
            return not self.run("docker version >/dev/null", check=False, timeout=10).returncode
        except subprocess.TimeoutExpired:
            return False

    def reachable(self) -> bool:
        """Tell whether a new connection to the node comes about."""
        words = [
            "ssh",
            "-F",
            str(self.ssh_config),
            "-o",
            "ControlPath=none",
            "-o",
            "ConnectTimeout=2",
            self.name,
            "true",
        ]
        try:
            return run(words, check=False, timeout=4).returncode != UNREACHABLE
        except subprocess.TimeoutExpired:
            return False

    def cut(self) -> None:
        """Take the node off the network: it runs on, and nobody reaches it."""
        self.engine("network", "disconnect", self.lab, self.container)
        ssh.hang_up(self.ssh_config, self.name)

    def mend(self) -> None:
        """Put the node back on the network, at its address."""
        self.engine("network", "connect", "--ip", self.address, self.lab, self.container)
        self.wait()

    def kill(self) -> None:
        """Power loss: everything on the node ends at once; its disk stays."""
        self.engine("kill", self.container)
        ssh.hang_up(self.ssh_config, self.name)

    def boot(self) -> None:
        """Switch the node on again."""
        self.engine("start", self.container)
        self.wait()

    def pause(self) -> None:
        """Freeze the node: it is there, and does not answer."""
        self.engine("pause", self.container)
        ssh.hang_up(self.ssh_config, self.name)

    def unpause(self) -> None:
        """Let the node go on."""
        self.engine("unpause", self.container)
        self.wait()

    def remove(self) -> None:
        """Remove the node and its disk."""
        ssh.hang_up(self.ssh_config, self.name)
        self.engine("rm", "--force", "--volumes", self.container)
        self.engine("volume", "rm", "--force", self.container)
