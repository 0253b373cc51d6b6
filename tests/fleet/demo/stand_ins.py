"""A Compose service as the lab can run it: the same name, ports, volumes, networks and edges; another image, a size less."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bayplan.model import units

from . import scaled

if TYPE_CHECKING:
    from collections.abc import Mapping

    Body = Mapping[str, Any]


@dataclass(frozen=True)
class StandIn:
    """An image of the lab, and what it stands for.

    Attributes:
        name: what the lab's registry calls it.
        images: the images that it stands for, by the last part of their name without tag.
        least: bytes below which it does not start.
        probe: the health check that works in it, where the original one does not.
        commands: the beginnings of command lines that it can run.
    """

    name: str
    images: re.Pattern[str]
    least: int
    probe: tuple[str, ...]
    commands: tuple[str, ...] = ()


STAND_INS = (
    StandIn(
        "postgres:1",
        re.compile(r"postgres(ql)?(-\d+)?|pgvector|pgvecto-rs|timescaledb.*|postgis"),
        64 * units.MIB,
        ("CMD-SHELL", "pg_isready -q -U $${POSTGRES_USER:-postgres}"),
        ("postgres", "pg_isready"),
    ),
    StandIn(
        "redis:1",
        re.compile(r"redis|valkey|keydb"),
        16 * units.MIB,
        ("CMD", "redis-cli", "-p", "{port}", "ping"),
        ("redis-",),
    ),
    StandIn(
        "nginx:1",
        re.compile(r"nginx(-unprivileged)?"),
        16 * units.MIB,
        ("CMD-SHELL", 'kill -0 "$$(cat /run/nginx.pid)"'),
        ("nginx",),
    ),
)
WEB = StandIn("web:1", re.compile(r".*"), 8 * units.MIB, ())
"""Everything else: a web server that listens wherever the original does."""

NOT_GRANTED = frozenset(
    {
        "build", "command", "entrypoint", "healthcheck", "runtime", "user",
        "privileged", "cap_add", "cap_drop", "sysctls", "ulimits", "devices", "device_cgroup_rules", "security_opt",
        "shm_size", "cpuset", "oom_score_adj", "oom_kill_disable", "blkio_config", "credential_spec", "storage_opt",
        "tmpfs", "read_only", "isolation", "cpu_rt_period", "cpu_rt_runtime", "mem_swappiness",
    }
)  # fmt: skip
"""What a stand-in does not need, or the lab's nodes, containers themselves, may not give."""

START = {"start_period": "180s", "start_interval": "1s"}
"""So that who becomes healthy is seen at once, although the interval of the original is kept."""


SELDOM = "60s"
"""How often is probed who was never probed: the images of the lab bring a check of their own, every five seconds."""


def stand_in(image: str) -> StandIn:
    """Return what stands for an image; a service that is built has none, and everything unknown is a web service."""
    last = image.rpartition("/")[2].partition("@")[0].partition(":")[0].lower()
    return next((one for one in STAND_INS if last and one.images.fullmatch(last)), WEB)


def lab_service(body: Body, registry: str, arch: str) -> dict[str, Any]:
    """Return the service as the lab runs it.

    Args:
        body: its canonical Compose mapping.
        registry: the lab's registry, `host:port`.
        arch: the architecture of the lab's nodes.
    """
    one = stand_in(str(body.get("image", "")) if "build" not in body else "")
    made = {key: value for key, value in body.items() if key not in NOT_GRANTED}
    made["image"] = f"{registry}/{one.name}"
    if "platform" in made:
        made["platform"] = f"linux/{arch}"
    made.update(_command(body, one))
    made.update(_environment(body, one))
    made["healthcheck"] = _healthcheck(body, one)
    made.update(_sizes(body, one.least))
    return made


def _command(body: Body, one: StandIn) -> dict[str, Any]:
    """Keep a command that the stand-in can run, its sizes scaled; the web service runs any and reads none."""
    command = body.get("command")
    if one is WEB:
        return {"entrypoint": ["web"], **({"command": command} if command else {})}
    words = command.split() if isinstance(command, str) else [str(word) for word in command or ()]
    if not words or not words[0].startswith(one.commands):
        return {}
    # A text keeps its form: splitting it would lose its quotes.
    return {
        "command": scaled.sizes_in(command) if isinstance(command, str) else [scaled.sizes_in(one) for one in words]
    }


def _environment(body: Body, one: StandIn) -> dict[str, Any]:
    """Keep the environment; sizes in it are scaled, and the web service is told where to listen."""
    said = dict(body.get("environment") or {})
    for key, value in said.items():
        if isinstance(value, str):
            said[key] = scaled.heaps_in(value) if one is WEB else scaled.sizes_in(value)
    if one is WEB:
        said["PORTS"] = " ".join(map(str, listening(body)))
    return {"environment": said} if said else {}


def _list(command: object) -> list[object]:
    return command if isinstance(command, list) else [command]


def listening(body: Body) -> list[int]:
    """Return the ports that a service listens on: published, exposed, or asked by its health check."""
    ports = [port["target"] for port in body.get("ports") or () if port.get("protocol", "tcp") == "tcp"]
    ports += [int(port) for item in body.get("expose") or () if (port := str(item).removesuffix("/tcp")).isdigit()]
    test = " ".join(map(str, (body.get("healthcheck") or {}).get("test") or ()))
    ports += [int(port) for port in re.findall(r"(?:localhost|127\.0\.0\.1):([0-9]{1,5})", test)]
    return sorted(set(ports)) or [8080]


def _healthcheck(body: Body, one: StandIn) -> dict[str, Any]:
    """Keep whether and how often a service is probed; ask what the stand-in can answer."""
    said = dict(body.get("healthcheck") or {})
    test = [str(word) for word in said.pop("test", None) or ()]
    if said.pop("disable", False) or (test and test[0] == "NONE"):
        return {"disable": True}
    if not test:
        said = {"interval": SELDOM}
    if one is WEB:
        test = ["CMD", "wget", "-q", "-O", "/dev/null", f"http://127.0.0.1:{listening(body)[0]}/health"]
    elif not test or not test[-1 if test[0] == "CMD-SHELL" else 1].startswith(one.commands):
        port = re.search(r"--port\s+([0-9]+)", " ".join(map(str, _list(body.get("command")))))
        test = [word.replace("{port}", port[1] if port else "6379") for word in one.probe]
    return {"test": test, **said, **START}


_AMOUNTS = ("mem_limit", "memswap_limit", "mem_reservation")


def _sizes(body: Body, least: int) -> dict[str, Any]:
    """Scale what Compose says about memory and CPUs, in either of its two places."""
    made: dict[str, Any] = {key: _memory(key, body[key], least) for key in _AMOUNTS if key in body}
    if "cpus" in body:
        made["cpus"] = _cpus(body["cpus"])
    deploy = body.get("deploy")
    if deploy is not None:
        made["deploy"] = dict(deploy)
        asked = {half: dict(amounts) for half, amounts in (deploy.get("resources") or {}).items()}
        for half, amounts in asked.items():
            if "memory" in amounts:
                amounts["memory"] = _memory(
                    "mem_limit" if half == "limits" else "mem_reservation", amounts["memory"], least
                )
            if "cpus" in amounts:
                amounts["cpus"] = _cpus(amounts["cpus"]) if half == "limits" else _share(amounts["cpus"])
        if asked:
            made["deploy"]["resources"] = asked
    return made


def _memory(key: str, amount: object, least: int) -> object:
    if str(amount) in {"0", "-1"}:  # Docker's words for: none
        return amount
    floor = min(least, scaled.RESERVATION_FLOOR) if key == "mem_reservation" else least
    return units.compose_bytes(scaled.memory(units.docker_memory(amount), floor))


def _cpus(amount: object) -> str:
    return units.compose_cpus(scaled.cpu_limit(units.cpus(amount)))


def _share(amount: object) -> str:
    return units.compose_cpus(scaled.cpu_request(units.cpus(amount)))


_FOLDER = re.compile(r".*\.d")
_FILES = frozenset({"torrc", "Caddyfile", "hosts", "passwd", "htpasswd", "crontab"})


def is_file(source: str, target: str) -> bool:
    """Whether a bind mount is of a file: one of its ends has an ending, or a name that is a file's."""
    return any(
        name in _FILES or ("." in name.lstrip(".") and not _FOLDER.fullmatch(name))
        for name in (posixpath.basename(source), posixpath.basename(target))
    )


def content(path: str) -> str:
    """Return what a small file of this name holds, so that who reads it is content."""
    name = posixpath.basename(path)
    return "SELECT 1;\n" if name.endswith(".sql") else f"# {name}\n"


def beside(bodies: Mapping[str, Body], more: Mapping[str, Body]) -> dict[str, str | None]:
    """Return path in the project's folder → the text of a file, or None for a folder, for all that a project reads.

    Args:
        bodies: its services.
        more: its secrets and configs.
    """
    named = [str(one["file"]) for one in more.values() if one.get("file")]
    named += [str(one["path"]) for body in bodies.values() for one in body.get("env_file") or ()]
    found: dict[str, str | None] = {posixpath.normpath(path): "" for path in named if not path.startswith("/")}
    for body in bodies.values():
        for mount in body.get("volumes") or ():
            source = str(mount.get("source") or "")
            if mount.get("type") == "bind" and not source.startswith(("/", "~")):
                path = posixpath.normpath(source)
                found[path] = content(path) if is_file(source, str(mount["target"])) else None
    holding = {posixpath.dirname(path) for path in found}
    return {path: None if path in holding else text for path, text in sorted(found.items())}
