"""What holds each line of a policy, target by target: the kernel, Docker, systemd, bayplan itself, or nothing.

One table, for the rules `enforce/*` and `docs/enforcement.md`; a test holds it against what is compiled.
Sources: the Compose Specification and its deploy part, docs.docker.com/engine/containers/resource_constraints, the
kernel's cgroup-v1 and cgroup-v2 pages, systemd.resource-control(5), and what was tried on nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class By(StrEnum):
    """Who holds a line, the strongest first."""

    KERNEL = "kernel"
    DOCKER = "docker"
    SYSTEMD = "systemd"
    ROLLOUT = "rollout"
    PROOF = "proof"
    ADVICE = "advice"
    NOTHING = "nothing"
    FACT = "fact"


WORDS = {
    By.KERNEL: "a cgroup file of the container",
    By.DOCKER: "the Docker engine, or Compose",
    By.SYSTEMD: "a property of a systemd unit",
    By.ROLLOUT: "bayplan's own roles while they change something",
    By.PROOF: "arithmetic before anything starts; nothing watches it afterwards",
    By.ADVICE: "the program itself is asked, and may do otherwise",
    By.NOTHING: "nobody",
    By.FACT: "it says what is there, and promises nothing",
}


@dataclass(frozen=True, slots=True)
class Means:
    """What holds a line on one target.

    Attributes:
        by: who.
        how: the file, flag or property, or the reason why nothing does.
        seen: words of a compiled file that show it, for the test; empty where nothing is compiled.
    """

    by: By
    how: str
    seen: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: a key of the policy and all below it, unless a longer one says otherwise.

    Attributes:
        key: path in the policy; `*` is any name.
        v1, v2: Compose on Linux with cgroup v1 and v2.
        swarm, kubernetes: the other targets; None where nothing is compiled for them yet.
    """

    key: str
    v1: Means
    v2: Means
    swarm: Means | None = None
    kubernetes: Means | None = None


def _same(key: str, by: By, how: str, seen: str = "", **more: Means) -> Row:
    means = Means(by, how, seen)
    return Row(key, means, means, **more)


def _kernel(key: str, seen: str, v1: str, v2: str, kubernetes: str = "") -> Row:
    other = Means(By.KERNEL, kubernetes) if kubernetes else None
    return Row(key, Means(By.KERNEL, v1, seen), Means(By.KERNEL, v2, seen), None, other)


def _swarm(key: str, how: str) -> Row:
    return _same(key, By.NOTHING, "only Swarm reads it", swarm=Means(By.DOCKER, how))


def _v1_only(key: str, how: str) -> Row:
    return Row(key, Means(By.KERNEL, how), Means(By.NOTHING, "cgroup v2 has nothing of the kind, and Docker drops it"))


_WINDOWS = "only Windows has it"
_LATER = "nothing acts on it yet; it is read, checked and kept"
_FACT = "describes a machine or a name"
_PLACED = "the placement is proven with it before anything starts"

TABLE: tuple[Row, ...] = (
    _same("targets", By.FACT, "says what is compiled for"),
    _same("nodes.*", By.FACT, _FACT),
    _same("nodes.*.reserve", By.PROOF, "services are placed beside it; nothing keeps others from taking more"),
    _same("nodes.*.ceilings", By.PROOF, "services are placed below it; nothing watches it afterwards"),
    _same("nodes.*.core_map", By.FACT, "names sets of cores, which services ask for"),
    _same("nodes.*.core_map.os", By.PROOF, "no service is given these cores; processes of the host may use all"),
    _same("nodes.*.taints", By.PROOF, _PLACED),
    _same("shapes.*", By.FACT, _FACT),
    _same("shapes.*.reserve", By.PROOF, "services are placed beside it; nothing keeps others from taking more"),
    _same("shapes.*.ceilings", By.PROOF, "services are placed below it; nothing watches it afterwards"),
    _same("shapes.*.taints", By.PROOF, _PLACED),
    _same("sources.*", By.FACT, "says what runs today, and where"),
    _same("estimates", By.FACT, "a guess; charged, and never written into a file"),
    _same("secrets.*", By.FACT, "says where a value comes from"),
    _same("services.*.compose", By.DOCKER, "Compose keys keep their meaning", "image:"),
    _same(
        "services.*.compose.deploy.resources.reservations.cpus",
        By.NOTHING,
        "Compose ignores it; requests.cpus becomes a weight",
    ),
    _swarm("services.*.compose.deploy.update_config", "docker service update"),
    _swarm("services.*.compose.deploy.rollback_config", "docker service rollback"),
    _swarm("services.*.compose.deploy.placement", "docker service create --constraint"),
    _swarm("services.*.compose.deploy.endpoint_mode", "docker service create --endpoint-mode"),
    _swarm("services.*.compose.deploy.mode", "docker service create --mode"),
    _swarm(
        "services.*.compose.deploy.resources.reservations.generic_resources",
        "docker service create --generic-resource",
    ),
    _same("services.*.compose.deploy.restart_policy", By.DOCKER, "its condition and max_attempts, as restart"),
    _swarm("services.*.compose.deploy.restart_policy.delay", "docker service create --restart-delay"),
    _swarm("services.*.compose.deploy.restart_policy.window", "docker service create --restart-window"),
    _v1_only("services.*.compose.mem_swappiness", "memory.swappiness"),
    _v1_only("services.*.compose.oom_kill_disable", "memory.oom_control"),
    _v1_only("services.*.compose.cpu_rt_runtime", "cpu.rt_runtime_us"),
    _v1_only("services.*.compose.cpu_rt_period", "cpu.rt_period_us"),
    _same("services.*.compose.cpu_count", By.NOTHING, _WINDOWS),
    _same("services.*.compose.cpu_percent", By.NOTHING, _WINDOWS),
    _same("services.*.compose.isolation", By.NOTHING, _WINDOWS),
    _same("services.*.compose.credential_spec", By.NOTHING, _WINDOWS),
    _kernel("services.*.limits.cpus", "cpus:", "cpu.cfs_quota_us", "cpu.max", "resources.limits.cpu"),
    _kernel("services.*.limits.memory", "memory:", "memory.limit_in_bytes", "memory.max", "resources.limits.memory"),
    _kernel("services.*.limits.swap", "memswap_limit:", "memory.memsw.limit_in_bytes", "memory.swap.max"),
    _kernel("services.*.limits.pids", "pids:", "pids.max", "pids.max"),
    _same("services.*.limits.*", By.PROOF, "a countable of your own: counted while placing"),
    _kernel("services.*.requests.cpus", "cpu_shares:", "cpu.shares", "cpu.weight", "resources.requests.cpu"),
    Row(
        "services.*.requests.memory",
        Means(By.PROOF, "memory.soft_limit_in_bytes is a wish; room is proven while placing", "reservations:"),
        Means(By.KERNEL, "memory.low, by the reservation", "reservations:"),
        None,
        Means(By.KERNEL, "resources.requests.memory"),
    ),
    _same("services.*.requests.swap", By.PROOF, "counted while placing"),
    _same("services.*.requests.pids", By.PROOF, "counted while placing"),
    _same("services.*.requests.*", By.PROOF, "a countable of your own: counted while placing"),
    _same("services.*.qos", By.PROOF, "makes requests and limits equal; Docker has no classes",
          kubernetes=Means(By.KERNEL, "the class that Kubernetes derives")),
    _same("services.*.tier", By.FACT, "names its tier"),
    _same("services.*.pool", By.FACT, "names its pool"),
    _kernel("services.*.cores", "cpuset:", "cpuset.cpus", "cpuset.cpus"),
    _same("services.*.gpu", By.DOCKER, "the container sees these cards and no others", "device_ids:"),
    _same("services.*.gpu.memory", By.ADVICE, "Docker has no limit of VRAM: each program keeps to its share or not"),
    _same("services.*.gpu.profile", By.DOCKER, "a MIG slice: the card itself holds it", "device_ids:"),
    _same("services.*.gpu.isolation", By.ADVICE, "rests on the programs; nothing is compiled for it"),
    _same("services.*.gpu.time_group", By.PROOF, "charged as its largest; nobody keeps members apart yet"),
    _same("services.*.placement", By.PROOF, _PLACED),
    _same("services.*.replicas", By.DOCKER, "as many containers as said, until somebody scales by hand", "replicas:"),
    _same("services.*.scale", By.NOTHING, _LATER),
    _same("services.*.scale.min", By.PROOF, _PLACED),
    _same("services.*.scale.max", By.PROOF, "checked to fit"),
    _same("services.*.tuning", By.ADVICE, "the program is told, and keeps to it if it reads it", "environment:"),
    _same("services.*.remap_ports", By.DOCKER, "the published port", "published:"),
    _same("services.*.health", By.NOTHING, _LATER),
    _same("services.*.health.stagger", By.NOTHING, "Docker has no offset between health checks"),
    _same("services.*.slo", By.NOTHING, _LATER),
    _same("services.*.update", By.NOTHING, _LATER),
    _same("tiers.*", By.FACT, "lists services and what fills their gaps"),
    _same("tiers.*.priority", By.NOTHING, "Docker has no priorities; nothing preempts yet"),
    _same("tiers.*.preemptible", By.NOTHING, _LATER),
    _same("tiers.*.oom_score_adj", By.NOTHING, "not written: it can keep a container from starting"),
    _same("tiers.*.overcommit", By.PROOF, "counted while placing"),
    _same("tiers.*.qos", By.PROOF, "makes requests and limits equal; Docker has no classes"),
    _kernel("tiers.*.cores", "cpuset:", "cpuset.cpus", "cpuset.cpus"),
    _same("pools.*", By.FACT, "lists services and what fills their gaps"),
    _same("pools.*.scaling", By.PROOF, "members on demand are charged together; nobody starts them yet"),
    _same("pools.*.quota", By.PROOF, "members are counted against it while placing"),
    Row(
        "pools.*.quota.limits.memory",
        Means(By.SYSTEMD, "MemoryMax= of the pool's slice: memory.limit_in_bytes", "MemoryMax="),
        Means(By.SYSTEMD, "MemoryMax= of the pool's slice: memory.max", "MemoryMax="),
        None,
        Means(By.KERNEL, "ResourceQuota"),
    ),
    _same("pools.*.quota.limits.cpus", By.SYSTEMD, "CPUQuota= of the pool's slice", "CPUQuota="),
    _same("pools.*.quota.limits.pids", By.SYSTEMD, "TasksMax= of the pool's slice"),
    _same("pools.*.concurrent", By.PROOF, "charged as so many; nothing counts them while they run"),
    _same("pools.*.stop_when_idle", By.NOTHING, _LATER),
    _same("pools.*.burst", By.NOTHING, _LATER),
    _kernel("pools.*.cores", "cpuset:", "cpuset.cpus", "cpuset.cpus"),
    _same("volumes.*", By.FACT, "says what a volume is"),
    _same("volumes.*.on_move", By.ROLLOUT, "the data goes along, or does not"),
    _same("volumes.*.access", By.PROOF, "copies of one writer are never placed apart"),
    _same("volumes.*.class", By.DOCKER, "a new volume is made on that disk, as a bind"),
    _same("volumes.*.size", By.PROOF, "counted while placing; local volumes have no quota"),
    _same("volumes.*.backup", By.ROLLOUT, "a copy before each move of it"),
    _same("volumes.*.backup.hook", By.NOTHING, _LATER),
    _same("volumes.*.backup.keep", By.NOTHING, _LATER),
    _same("volumes.*.backup.encrypt_to", By.NOTHING, _LATER),
    _same("volumes.*.backup.drill", By.NOTHING, _LATER),
    _same("networks.*", By.DOCKER, "the networks that Compose makes"),
    _same("networks.*.between_nodes", By.DOCKER, "extra_hosts and published ports", "extra_hosts:"),
    _same("alerts", By.NOTHING, _LATER),
    _same("bands", By.PROOF, "alerts are compared with them"),
    _same("metrics", By.NOTHING, _LATER),
    _same("forecasts", By.NOTHING, _LATER),
    _same("edges.*", By.DOCKER, "a proxy that is a service like any other", "proxy_pass"),
    _same("rollout", By.ROLLOUT, "the waves, gates and locks of apply"),
    _same("rollout.serial", By.NOTHING, "services are changed one after the other, whatever it says"),
    _same("rollout.budget", By.NOTHING, _LATER),
    _same("rollout.window", By.NOTHING, _LATER),
    _same("rollout.approvals", By.NOTHING, _LATER),
    _same("rollout.stages.[].approvals", By.NOTHING, _LATER),
    _same("rollout.backup", By.NOTHING, "only the copy before each move is made; dumps before stages are not yet"),
    _same("expect", By.PROOF, "recomputed each time"),
    _same("accept", By.FACT, "takes findings as they are"),
    _same("environments", By.FACT, "lays values over the others"),
    _same("defaults", By.FACT, "fills what services do not say"),
)  # fmt: skip


def page() -> str:
    """Return the table as a page of the docs."""
    legend = "\n".join(f"- **{by}**: {WORDS[by]}" for by in By)
    head = "| key | Compose, cgroup v1 | Compose, cgroup v2 | Swarm | Kubernetes |\n|---|---|---|---|---|\n"
    rows = "\n".join(
        f"| `{row.key}` | {_cell(row.v1)} | {_cell(row.v2)} | {_cell(row.swarm)} | {_cell(row.kubernetes)} |"
        for row in sorted(TABLE, key=lambda row: row.key)
    )
    return f"{_HEAD}\n{legend}\n\n{head}{rows}\n"


def _cell(means: Means | None) -> str:
    return "" if means is None else f"**{means.by}** {means.how}"


_HEAD = """# What enforces a policy

Each line of a policy is held by something, or by nobody. This table says which; `bayplan check --strict` fails on lines
of a policy that nobody holds on one of its targets. A key speaks for all below it, unless a longer one is listed. An
empty cell: nothing is compiled for that target yet.

Made from the table in the checker: `python -m bayplan.check.enforcement`; a test fails when the page is stale.
"""

if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - that is what it is for
