"""What runs today, brought up on the nodes as a user would: files in the project's folder, `docker compose up -d`."""

from __future__ import annotations

import shlex
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import lab_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lab import Node

    from .derive import Project

BATCH = 12
"""Services that one `up` starts: more at once only wait for each other's turn on two cores."""


@dataclass(frozen=True)
class Today:
    """What can be started of what the Compose files ask for.

    Attributes:
        copies: (project, service) → how many copies.
        left_out: (project, service) → why not all of it starts; Compose itself could not either.
    """

    copies: Mapping[tuple[str, str], int]
    left_out: Mapping[tuple[str, str], str]


def today(projects: Iterable[Project], yielding: frozenset[tuple[str, str]] = frozenset()) -> Today:
    """Return what can run at once: of two services that want the same port or address of a node, the first.

    Args:
        projects: all of them.
        yielding: the services that the policy gives another port: they are the ones that do not run today.
    """
    copies: dict[tuple[str, str], int] = {}
    left_out: dict[tuple[str, str], str] = {}
    taken: dict[tuple[str, ...], tuple[str, str]] = {}
    active = [
        ((one.name, name), one, body)
        for one in projects
        for name, body in one.bodies.items()
        if not body.get("profiles") or set(body["profiles"]) & set(one.profiles)
    ]
    for key, project, body in sorted(active, key=lambda item: (item[0] in yielding, item[0])):
        claims = _claims(project, body)
        rivals = [(claim, taken[claim]) for claim in claims if claim in taken]
        if rivals:
            claim, rival = rivals[0]
            left_out[key] = f"{_words(claim)} is {'/'.join(rival)}'s on {project.node}"
            continue
        taken.update(dict.fromkeys(claims, key))
        wanted = int((body.get("deploy") or {}).get("replicas", body.get("scale", 1)))
        copies[key] = min(wanted, 1) if claims else wanted
        if copies[key] < wanted:
            left_out[key] = f"{copies[key]} of {wanted} copies: all want {_words(claims[0])}"
    return Today(copies, left_out)


def _words(claim: tuple[str, ...]) -> str:
    return " ".join(word for word in claim[1:] if word)


def _claims(project: Project, body: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return what one running container of a service has for itself on its node."""
    ports = [
        (project.node, f"port {port['published']}/{port.get('protocol', 'tcp')}", str(port.get("host_ip", "")))
        for port in body.get("ports") or ()
        if port.get("published") and str(port["published"]).isdigit()
    ]
    addresses = [
        (project.node, f"address {attachment['ipv4_address']}", f"of {project.name}/{network}")
        for network, attachment in (body.get("networks") or {}).items()
        if attachment and attachment.get("ipv4_address")
    ]
    return [*ports, *addresses]


def put(node: Node, projects: Iterable[Project]) -> None:
    """Write the files of a node's projects, and make what they call external."""
    for project in projects:
        script = ["set -e", f"mkdir -p {shlex.quote(project.root)}", f"cd {shlex.quote(project.root)}"]
        for path, text in project.beside.items():
            if text is None:
                script.append(
                    f"mkdir -p {shlex.quote(path)}; [ {shlex.quote(path)} = . ] || echo lab > {shlex.quote(path)}/lab"
                )
            else:
                script.append(
                    f"mkdir -p $(dirname {shlex.quote(path)}); printf %s {shlex.quote(text)} > {shlex.quote(path)}"
                )
        script += [
            f"docker network inspect {name} >/dev/null 2>&1 || docker network create {name} >/dev/null"
            for name in project.external("networks")
        ]
        script += [f"docker volume create {name} >/dev/null" for name in project.external("volumes")]
        node.run("sh -s", sudo=True, text="\n".join(script))
        node.put(lab_policy.written(project.document, project.name), compose_file(project))
        node.put(project.env, f"{project.root}/.env", mode="600")


def compose_file(project: Project) -> str:
    """Return where a project's Compose file is on its node."""
    return f"{project.root}/{project.name}.yml"


def pull(node: Node, registry: str, images: Iterable[str]) -> None:
    """Fetch the images that any service of the fleet may need here."""
    lines = [f"docker pull -q {registry}/{image} >/dev/null" for image in images]
    node.run(" && ".join(lines))


def up(node: Node, projects: Iterable[Project], started: Today) -> None:
    """Start a node's services in batches, who is depended on first."""
    for project in projects:
        copies = {name: count for (key, name), count in started.copies.items() if key == project.name and count}
        for batch in batches(project.bodies, copies):
            scale = " ".join(
                f"--scale {name}={copies[name]}" for name in batch if copies[name] > 1 or _replicated(project, name)
            )
            profiles = " ".join(f"--profile {name}" for name in project.profiles)
            command = f"docker compose -p {project.name} {profiles} --project-directory {project.root} -f {compose_file(project)}"
            node.run(
                f"COMPOSE_PARALLEL_LIMIT=6 {command} up -d --no-deps --quiet-pull {scale} {' '.join(batch)}", sudo=True
            )


def _replicated(project: Project, name: str) -> bool:
    return "replicas" in (project.bodies[name].get("deploy") or {})


def batches(bodies: Mapping[str, Mapping[str, Any]], names: Iterable[str]) -> list[list[str]]:
    """Return the names in batches: whom somebody depends on comes in an earlier one."""
    left = set(names)
    made: list[list[str]] = []
    while left:
        ready = sorted(name for name in left if not left & set(bodies[name].get("depends_on") or ()))
        ready = ready or sorted(left)
        made += [ready[at : at + BATCH] for at in range(0, len(ready), BATCH)]
        left -= set(ready)
    return made


def each(nodes: Iterable[Node], work: Callable[[Node], object]) -> None:
    """Do the same on all nodes side by side; the first failure is raised."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, nodes))


def seed(node: Node, projects: Iterable[Project], sizes: Mapping[str, int], least: int) -> None:
    """Put something into each volume that no database writes to, so that it can be told whether it stayed the same."""
    taken: dict[str, bool] = {}
    for project in projects:
        for body in project.bodies.values():
            for mount in body.get("volumes") or ():
                if mount["type"] == "volume" and mount.get("source"):
                    name = _real_name(project, str(mount["source"]))
                    taken[name] = taken.get(name, False) or "entrypoint" not in body
    script = [
        f"d=/var/lib/docker/volumes/{name}/_data; [ ! -d $d ] || head -c {sizes.get(name, least)} /dev/urandom > $d/lab.bin"
        for name, database in sorted(taken.items())
        if not database
    ]
    node.run("sh -s", sudo=True, text="\n".join(script))


def _real_name(project: Project, key: str) -> str:
    declared = project.document.get("volumes", {}).get(key) or {}
    return str(declared.get("name") or f"{project.name}_{key}")


def settle(nodes: Iterable[Node], seconds: float = 180) -> None:
    """Wait until nobody is still starting."""
    end = time.monotonic() + seconds
    for node in nodes:
        while node.docker("ps", "-q", "--filter", "health=starting").stdout.strip():
            if time.monotonic() > end:
                return  # the check that follows says who is not well
            time.sleep(1)
