"""A workspace for one fleet on lab nodes: policy, inventory, and what runs there before bayplan comes."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from lab import Lab, Node

BAYPLAN = Path(sys.executable).parent / "bayplan"


class Yard:
    """The folders that a user of bayplan has, in a temporary place, for the nodes of a lab."""

    def __init__(self, folder: Path, lab: Lab, fleet: str = "shop") -> None:
        self.root, self.lab, self.fleet = folder, lab, fleet
        self.policy = folder / "policies" / fleet
        self.policy.mkdir(parents=True)
        hosts = folder / "inventory" / fleet / "hosts.yml"
        hosts.parent.mkdir(parents=True)
        lab.inventory(hosts)

    def write(self, policy: str, compose: dict[str, str]) -> None:
        """Write the policy and its Compose files; `REGISTRY` in them is the lab's."""
        (self.policy / "fleet.yml").write_text(policy)
        folder = self.policy / "compose"
        folder.mkdir(exist_ok=True)
        for project, text in compose.items():
            (folder / f"{project}.yml").write_text(text.replace("REGISTRY", self.lab.registry))

    def deploy(self, node: str, project: str) -> None:
        """Start a project on a node, as its owner did before anybody thought of bayplan."""
        root = f"/opt/{project}"
        text = (self.policy / "compose" / f"{project}.yml").read_text()
        self.lab.node(node).put(text, f"{root}/compose.yml")
        self.lab.node(node).run(f"cd {root} && docker compose -p {project} -f compose.yml up -d --wait --quiet-pull")

    def bayplan(self, *words: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Run bayplan as a user would, in the workspace."""
        done = subprocess.run([BAYPLAN, *words], cwd=self.root, capture_output=True, text=True, check=False)
        if code is not None:
            assert done.returncode == code, f"{words} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def observe(self) -> None:
        """Look at the nodes."""
        self.bayplan("observe", f"policies/{self.fleet}", "--once")

    def plan(self) -> Path:
        """Observe and plan; return the plan's folder."""
        self.observe()
        done = self.bayplan("plan", f"policies/{self.fleet}")
        return self.root / done.stderr.strip().splitlines()[-1].removesuffix("/PLAN.md")

    def services(self, node: str) -> dict[str, dict[str, object]]:
        """Return service → what Docker says of its container on a node, without asking bayplan."""
        ids = self.lab.node(node).docker("ps", "-aq").stdout.split()
        if not ids:
            return {}
        found = json.loads(self.lab.node(node).docker("inspect", *ids).stdout)
        return {
            one["Config"]["Labels"].get("com.docker.compose.service", one["Name"]): {
                "id": one["Id"],
                "running": one["State"]["Running"],
                "started": one["State"]["StartedAt"],
                "memory": one["HostConfig"]["Memory"],
                "cpus": one["HostConfig"]["NanoCpus"] // 10**6,
                "cpuset": one["HostConfig"]["CpusetCpus"],
            }
            for one in found
        }


def kernel(node: Node, service: str) -> dict[str, int]:
    """Return the limits that the kernel enforces for a service, read from the cgroup files."""
    script = (
        f"p=$(docker inspect -f '{{{{.State.Pid}}}}' $(docker ps -q --filter label=com.docker.compose.service={service}));"
        "m=$(awk -F: '$2==\"memory\"{print $3}' /proc/$p/cgroup); c=$(awk -F: '$2~/(^|,)cpu(,|$)/{print $3}' /proc/$p/cgroup);"
        'if [ -n "$m" ]; then cat /sys/fs/cgroup/memory$m/memory.limit_in_bytes /sys/fs/cgroup/cpu$c/cpu.cfs_quota_us 2>/dev/null'
        " || cat /sys/fs/cgroup/memory$m/memory.limit_in_bytes /sys/fs/cgroup/cpu,cpuacct$c/cpu.cfs_quota_us; else"
        " u=/sys/fs/cgroup$(cut -d: -f3 /proc/$p/cgroup); cat $u/memory.max; cut -d' ' -f1 $u/cpu.max; fi"
    )
    memory, quota = node.run(script, sudo=True).stdout.split()
    return {"memory": int(memory), "cpus": int(quota) // 100}


def untouched(node: Node) -> str:
    """Return a hash over everything that a run may leave on a node: containers, units, files."""
    script = (
        "docker ps -aq --no-trunc | sort; docker inspect -f '{{.Id}} {{.State.StartedAt}} {{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}'"
        " $(docker ps -aq) | sort; find /var/lib/bayplan /opt /etc/systemd/system /etc/docker /root -xdev -type f"
        " ! -path '*/.ansible/*' -exec sha256sum {} + 2>/dev/null | sort -k2; docker volume ls -q | sort; docker network ls -q | sort"
    )
    return hashlib.sha256(node.run(script, sudo=True).stdout.encode()).hexdigest()


def journal(node: Node, fleet: str = "shop") -> list[dict[str, object]]:
    """Return the lines of a node's journal."""
    text = node.run(f"cat /var/lib/bayplan/{fleet}/journal.jsonl", sudo=True, check=False).stdout
    return [json.loads(line) for line in text.splitlines()]


def nodes(addresses: dict[str, str], **more: object) -> str:
    """Return `nodes:` of a policy, alike but for their addresses."""
    each = {"cpus": 4, "memory": "4GiB", "reserve": {"memory": "256MiB"}, **more}
    return yaml.safe_dump({"nodes": {name: {"address": address, **each} for name, address in addresses.items()}})
