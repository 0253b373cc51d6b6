"""The outer engine: the dockerd that carries the nodes. The machine's own where it has one, else one of ours."""

from __future__ import annotations

import os
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from . import apt
from .process import LabError, alone, run, timed, wait_for

if TYPE_CHECKING:
    import subprocess

OLDEST = 24
"""Before, `--privileged` demands every capability, also those that this machine itself lacks."""
SOCKET = Path("/var/run/docker.sock")
NEEDED = {"containerd": "containerd", "runc": "runc", "mmdebstrap": "mmdebstrap", "ssh": "openssh-client"}


def work() -> Path:
    """Return the folder that holds all that a second start need not make again."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "bayplan" / "lab"


@dataclass(frozen=True)
class Engine:
    """A Docker engine that answers, and the client that asks it."""

    host: str
    client: str
    ours: bool

    def __call__(
        self, *words: str, check: bool = True, text: str | None = None, timeout: float | None = 600
    ) -> subprocess.CompletedProcess[str]:
        """Run one docker command."""
        # Its own engine has no buildx beside it; another's may know BuildKit only.
        kit = {"DOCKER_BUILDKIT": "0"} if self.ours else {}
        environment = {**os.environ, **kit, "DOCKER_HOST": self.host}
        return run([self.client, *words], check=check, text=text, timeout=timeout, env=environment)

    def lines(self, *words: str) -> list[str]:
        """Return what a docker command prints, line by line."""
        return self(*words).stdout.split("\n")[:-1]

    def version(self) -> int:
        """Return the major version of the engine; 0: it does not answer."""
        said = self("version", "--format", "{{.Server.Version}}", check=False, timeout=20).stdout.partition(".")[0]
        return int(said) if said.isdigit() else 0


def present() -> Engine | None:
    """Return the engine that is there without our doing."""
    host = os.environ.get("DOCKER_HOST") or (f"unix://{SOCKET}" if SOCKET.exists() else "")
    client = shutil.which("docker")
    if not host or not client:
        return None
    engine = Engine(host, client, ours=host == f"unix://{_folder() / 'docker.sock'}")
    return engine if engine.version() >= OLDEST else None


def why_not() -> str:
    """Return why no fleet can run on this machine; empty: it can."""
    if os.uname().sysname != "Linux":
        return "nodes are Linux containers, and this is no Linux"
    if present():
        return "" if shutil.which("ssh") else "there is no ssh client"
    if os.geteuid():
        return f"there is no Docker engine from version {OLDEST} on, and only root can start one"
    if not shutil.which("apt-get"):
        return f"there is no Docker engine from version {OLDEST} on, and no apt to take one from"
    try:
        apt.mirror()
    except LabError as error:
        return str(error)
    return ""


def ensure() -> Engine:
    """Return the engine, started if need be."""
    reason = why_not()
    if reason:
        raise LabError(f"No fleet can run here: {reason}.")
    found = present()
    if found:
        return found
    with alone(work() / "engine.lock"):
        apt.install(NEEDED)
        programs = work() / "engine-26"
        if not programs.exists():
            with timed("fetching the engine"):
                apt.unpack(("docker.io", "docker-cli"), "trixie", programs)
        engine = ours()
        if not engine.version():
            with timed("starting the engine"):
                _start(engine, programs)
    return engine


def ours() -> Engine:
    """Return the engine that we start, whether it runs or not."""
    return Engine(f"unix://{_folder() / 'docker.sock'}", str(work() / "engine-26" / "usr/bin/docker"), ours=True)


def stop() -> bool:
    """Stop our engine by its pid; whether there was one."""
    with alone(work() / "engine.lock"):
        pid = _pid()
        if pid is None:
            return False
        os.kill(pid, signal.SIGTERM)
        wait_for(f"the engine (pid {pid}) ends", lambda: _pid() is None, seconds=120)
        for mount in (_folder() / "exec" / "netns").glob(
            "*"
        ):  # dockerd leaves it mounted, and no folder could be removed
            run(["umount", str(mount)], check=False)
        return True


def _folder() -> Path:
    return work() / "engine"


def _pid() -> int | None:
    """Return the pid of our engine while it runs: the number in its file, as long as that is a dockerd."""
    try:
        pid = int((_folder() / "pid").read_text(encoding="utf-8"))
        return pid if "dockerd" in Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8") else None
    except (OSError, ValueError):
        return None


def _start(engine: Engine, programs: Path) -> None:
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    options = {
        "--host": engine.host,
        "--data-root": folder / "root",
        "--exec-root": folder / "exec",
        "--pidfile": folder / "pid",
        # The firewall and the routing of this machine are not ours to change; nodes speak over bridges only.
        "--iptables": "false",
        "--ip6tables": "false",
        "--ip-forward": "false",
        "--bridge": "none",
    }
    path = os.pathsep.join([str(programs / "usr/sbin"), str(programs / "usr/bin"), os.environ["PATH"]])
    daemon = ["dockerd", *(f"{option}={value}" for option, value in options.items())]
    log = folder / "log"
    # The shell opens the log and setsid lets go: no pipe and no terminal of ours keeps the daemon, nor it them.
    words = ["sh", "-c", 'log=$1; shift; exec setsid --fork "$@" >"$log" 2>&1 </dev/null', "sh", str(log), *daemon]
    run(words, env={**os.environ, "PATH": path})
    try:
        wait_for("the engine answers", lambda: engine.version() > 0, seconds=60)
    except LabError as error:
        raise LabError(f"{error}\n{log.read_text(encoding='utf-8')[-2000:]}") from None
