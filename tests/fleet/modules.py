"""Modules of the collection, run on lab nodes by Ansible itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lab import Lab, Node

REPOSITORY = Path(__file__).parents[2]
ANSIBLE = Path(sys.executable).with_name("ansible")
COMPOSE = "com.docker.compose"


@dataclass(frozen=True)
class Hands:
    """Runs modules on one node of a lab, for a fleet called shop."""

    lab: Lab
    name: str
    common: dict[str, Any] = field(default_factory=dict)

    @property
    def node(self) -> Node:
        """Return the node."""
        return self.lab.node(self.name)

    def __call__(self, module: str, *, check: bool = False, **arguments: Any) -> dict[str, Any]:
        """Run a module; return what it returns, and `failed`."""
        inventory = self.lab.folder / "hosts.yml"
        self.lab.inventory(inventory)
        told = json.dumps({"fleet": "shop", **self.common, **arguments})
        words = [ANSIBLE, self.name, "-i", inventory, "-b", "-m", f"bayplan.fleet.{module}", "-a", told]
        words += ["--check", "--diff"] if check else []
        env = {**os.environ, "ANSIBLE_CALLBACK_RESULT_FORMAT": "json", "ANSIBLE_NOCOLOR": "1"}
        done = subprocess.run(words, cwd=REPOSITORY, env=env, capture_output=True, text=True, check=False)
        before, arrow, result = done.stdout.partition(" => ")
        assert arrow and "UNREACHABLE" not in before, done.stdout + done.stderr  # noqa: PT018 - one sentence
        return {**json.loads(result), "failed": "FAILED" in before, "printed": before}

    def good(self, module: str, **arguments: Any) -> dict[str, Any]:
        """Run a module that must not fail."""
        found = self(module, **arguments)
        assert not found["failed"], found.get("msg")
        return found

    def services(self, state: str, *items: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Run `services` for some items."""
        return self(
            "services", state=state, items=[{"id": f"1.{self.name}.{n}", **one} for n, one in enumerate(items)], **more
        )

    def release(self, plan: str, compose: str, root: str = "/opt/shop", **more: Any) -> dict[str, Any]:
        """Bring a release with one project called shop."""
        files = {"shop/compose.yaml": compose.replace("REGISTRY", self.lab.registry), **more.pop("files", {})}
        return self.good("release", release_plan=plan, files=files, projects={"shop": {"root": root}}, **more)

    def deploy(self, compose: str, root: str = "/opt/shop") -> None:
        """Start a project as its owner did before anybody thought of bayplan."""
        self.node.put(compose.replace("REGISTRY", self.lab.registry), f"{root}/compose.yaml")
        self.node.run(f"cd {root} && docker compose -p shop up -d --wait --quiet-pull")

    def containers(self, service: str) -> list[dict[str, Any]]:
        """Return what Docker says of the containers of a service."""
        ids = self.node.docker("ps", "-aq", "--filter", f"label={COMPOSE}.service={service}").stdout.split()
        found: list[dict[str, Any]] = json.loads(self.node.docker("inspect", *ids).stdout) if ids else []
        return sorted(found, key=lambda one: str(one["Name"]))

    def container(self, service: str) -> dict[str, Any]:
        """Return the one container of a service."""
        (one,) = self.containers(service)
        return one

    def picture(self) -> str:
        """Return all that Docker knows of the containers of the node but their health checks, which go on, whoever looks."""
        found = json.loads(self.node.run("docker inspect $(docker ps -aq)").stdout)
        for one in found:
            one["State"].pop("Health", None)
            one["ExecIDs"] = None  # a health check that runs just now
        return json.dumps(sorted(found, key=lambda one: str(one["Id"])), indent=1, sort_keys=True)

    def kernel(self, service: str) -> dict[str, str]:
        """Return what the kernel's own files say of the container of a service, read past our code."""
        one = self.container(service)
        pid, files = one["State"]["Pid"], {"memory": ("memory", "memory.limit_in_bytes"), "swap": ("memory", "memory.memsw.limit_in_bytes"),
                                           "quota": ("cpu", "cpu.cfs_quota_us"), "shares": ("cpu", "cpu.shares"),
                                           "cpuset": ("cpuset", "cpuset.cpus"), "pids": ("pids", "pids.max")}  # fmt: skip
        script = "; ".join(
            f"echo {key} $(cat /sys/fs/cgroup/{controller}$(awk -F: '$2 == \"{controller}\" {{print $3}}' /proc/{pid}/cgroup)/{file})"
            for key, (controller, file) in files.items()
        )
        return dict(line.split(" ", 1) for line in self.node.run(script, sudo=True).stdout.splitlines())
