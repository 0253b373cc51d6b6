"""What can be planted: by family, each a function that finds a random place for one contradiction, or none."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bayplan.check.caches import image_name
from bayplan.check.rules.duplicates.same_image import SHARED
from bayplan.check.rules.security.mutable_tag import is_moving
from bayplan.check.rules.security.no_health_check import brings_check
from bayplan.model.names import Name

if TYPE_CHECKING:
    from ground import Ground, More, Where

    from bayplan.model.service import Service

import guests
from believed import BELIEVED, TOTALS, WATCHED
from ground import Patch

Plant = Callable[[random.Random, "Ground"], "Patch | None"]


def key_of(ground: Ground, service: Service, *path: str | int) -> Where:
    """Return where a policy speaks of a service."""
    section = ground.tree.get("services")
    bare = section is not None and section.get(service.name.name) is not None
    return ("services", service.name.name if bare else str(service.name), *path)


def services(ground: Ground, suiting: Callable[[Service], bool] = lambda _: True) -> list[Service]:
    """Return the running services that suit, by name."""
    return [service for service in ground.policy.to_be.active() if suiting(service)]


def chosen(rng: random.Random, some: list[Any]) -> Any:
    """Return one of some, or None."""
    return rng.choice(some) if some else None


# --- capacity ---


def limit_over_node(rng: random.Random, ground: Ground) -> Patch | None:
    """A CPU limit that no machine has."""
    fleet = ground.policy.to_be
    free = services(
        ground,
        lambda one: (
            not (one.pool and fleet.pools[one.pool].quota) and one.qos != "guaranteed" and not one.replicas.scaled
        ),
    )
    service = chosen(rng, [one for one in free if "cpus" in one.requests])
    if service is None:
        return None
    most = max(node.has("cpus") for node in fleet.nodes.values()) // 1000
    return Patch("capacity/limit-over-node", key_of(ground, service, "limits", "cpus"), most * rng.randint(2, 9) + 1)


def pools_over_nodes(rng: random.Random, ground: Ground) -> Patch | None:
    """A quota of requests larger than the fleet."""
    fleet = ground.policy.to_be
    shared = [one for one in fleet.pools.values() if not one.per_node and one.quota.get("requests")]
    section = ground.tree.get("pools")
    pool = chosen(rng, [one for one in shared if section is not None and not section.value[one.name].get("burst")])
    if pool is None:
        return None
    there = sum(node.has("cpus") for node in fleet.nodes.values()) // 1000
    path = ("pools", pool.name, "quota", "requests", "cpus")
    return Patch("capacity/pools-over-nodes", path, there * rng.randint(2, 5))


def replicas_at_max(rng: random.Random, ground: Ground) -> Patch | None:
    """More copies in the end than any fleet of this size holds."""
    service = chosen(rng, services(ground, lambda one: one.replicas.scaled and one.replicas.maximum > 1))
    if service is None:
        return None
    return Patch("capacity/replicas-at-max", key_of(ground, service, "scale", "max"), rng.randint(10_000, 90_000))


def growth_over_quota(rng: random.Random, ground: Ground) -> Patch | None:
    """A member of a pool that may grow beyond its quota."""
    fleet = ground.policy.to_be
    quotas = {name for name, pool in fleet.pools.items() if pool.quota.get("requests") and not pool.per_node}
    alone = services(ground, lambda one: one.pool in quotas and not one.replicas.scaled and not one.container_name)
    free = [one for one in alone if not any(link.ipv4 for link in one.networks) and "cpus" in one.requests]
    service = chosen(rng, [one for one in free if fleet.pools[one.pool].scaling != "on-demand"])
    if service is None or "cpus" not in fleet.pools[service.pool].quota["requests"]:
        return None
    most = fleet.pools[service.pool].quota["requests"]["cpus"].amount // service.requests["cpus"].amount
    scale = {"min": service.replicas.count, "max": 2 * most + rng.randint(2, 9), "on": {"cpus": "70% of limit"}}
    return Patch("capacity/replicas-at-max", key_of(ground, service, "scale"), scale)


# --- qos ---


def guaranteed(ground: Ground, service: Service) -> tuple[dict[str, str], More]:
    """Return what a service requests as one that is guaranteed, with all that makes it one: its halves are equal."""
    value = {"memory": f"{service.limits['memory'].amount // 2**20}MiB"}
    more: More = ((key_of(ground, service, "qos"), "guaranteed"),)
    more = (*more, (key_of(ground, service, "limits", "memory"), value["memory"]))
    if "cpus" in service.requests:
        value["cpus"] = f"{service.requests['cpus'].amount}m"
        if "cpus" in service.limits:
            more = (*more, (key_of(ground, service, "limits", "cpus"), value["cpus"]))
    return value, (*more, (key_of(ground, service, "requests"), value))


def not_guaranteed(rng: random.Random, ground: Ground) -> Patch | None:
    """Guaranteed, and yet half of it."""
    service = chosen(rng, services(ground, lambda one: "memory" in one.limits and one.qos != "guaranteed"))
    if service is None:
        return None
    value, more = guaranteed(ground, service)
    half = max(1, int(value["memory"].removesuffix("MiB")) // rng.randint(2, 4))
    path = key_of(ground, service, "requests", "memory")
    return Patch("qos/not-guaranteed", path, f"{half}MiB", more)


def halves_of_cpus(rng: random.Random, ground: Ground) -> Patch | None:
    """Guaranteed, with all of its memory and a part of its CPUs."""
    both = services(ground, lambda one: {"cpus", "memory"} <= one.limits.keys() and one.qos != "guaranteed")
    service = chosen(rng, [one for one in both if "cpus" in one.requests and one.requests["cpus"].amount >= 40])
    if service is None:
        return None
    _, more = guaranteed(ground, service)
    part = service.requests["cpus"].amount // rng.randint(2, 4)
    return Patch("qos/not-guaranteed", key_of(ground, service, "requests", "cpus"), f"{part}m", more)


def called_best_effort(rng: random.Random, ground: Ground) -> Patch | None:
    """Best effort, with a limit of its own."""
    service = chosen(rng, services(ground, lambda one: "memory" in one.limits and not one.qos))
    return Patch("qos/another-class", key_of(ground, service, "qos"), "besteffort") if service else None


# --- network ---


def port_taken(rng: random.Random, ground: Ground) -> Patch | None:
    """A port that another service of the same node has, where neither can go elsewhere."""
    fleet = ground.policy.to_be
    only = next(iter(fleet.nodes)) if len(fleet.nodes) == 1 else ""
    fixed = services(ground, lambda one: bool(one.placement.node or only))
    rng.shuffle(fixed)
    for service in fixed:
        home = service.placement.node or only
        taken = [
            port.published
            for other in services(ground)
            if other.name != service.name and (other.placement.node or only) == home
            for port in other.ports
            if port.published and port.protocol == "tcp" and not other.remap_ports
        ]
        if taken and fleet.nodes.get(home):
            path = key_of(ground, service, "compose", "ports")
            mine = [
                f"{port.host_ip + ':' if port.host_ip else ''}{port.published}:{port.target}" for port in service.ports
            ]
            return Patch("network/port-taken", path, [*mine, f"{rng.choice(taken)}:59999"])
    return None


def address_outside(rng: random.Random, ground: Ground) -> Patch | None:
    """A fixed address of another network."""
    fixed = [
        (service, link)
        for service in services(ground)
        for link in service.networks
        if link.ipv4 and ground.policy.to_be.networks[Name(service.name.project, link.network)].subnets
    ]
    found = chosen(rng, fixed)
    if found is None:
        return None
    service, link = found
    path = key_of(ground, service, "compose", "networks", link.network, "ipv4_address")
    return Patch("network/address-outside", path, f"10.{rng.randint(1, 200)}.{rng.randint(1, 200)}.9")


def never_healthy(rng: random.Random, ground: Ground) -> Patch | None:
    """A wait for the health of somebody who has no health check."""
    silent = services(ground, lambda one: "healthcheck" not in one.body and not one.network_mode)
    rng.shuffle(silent)
    for other in silent:
        near = services(ground, lambda one, other=other: one.name.project == other.name.project and one != other)  # type: ignore[misc]
        waiting = [one for one in near if not one.depends_on and one.placement.node == other.placement.node != ""]
        if waiting:
            path = key_of(ground, rng.choice(waiting), "compose", "depends_on")
            return Patch("network/never-healthy", path, {other.name.name: {"condition": "service_healthy"}})
    return None


def port_twice(rng: random.Random, ground: Ground) -> Patch | None:
    """One of a service's own ports once more."""
    publishing = services(ground, lambda one: any(port.published for port in one.ports) and not one.network_mode)
    service = chosen(rng, [one for one in publishing if not one.remap_ports])
    if service is None:
        return None
    mine = [str(port) for port in service.ports]
    port = rng.choice([port for port in service.ports if port.published])
    host = f"{port.host_ip}:" if port.host_ip else ""
    more = f"{host}{port.published}:{rng.randint(50_000, 59_999)}/{port.protocol}"
    return Patch("network/port-twice", key_of(ground, service, "compose", "ports"), [*mine, more])


def connections(rng: random.Random, ground: Ground) -> Patch | None:
    """A pool larger than the database takes connections."""
    databases = services(ground, lambda one: image_name(one.image) in ("postgres", "mysql", "mariadb"))
    rng.shuffle(databases)
    for database in databases:
        near = services(
            ground,
            lambda one, database=database: (  # type: ignore[misc]
                one.name.project == database.name.project
                and one.name != database.name
                and one.placement.node == database.placement.node
                and image_name(one.image) not in (*SHARED, "pgbouncer")
                and not isinstance(one.body.get("environment"), list)
            ),
        )
        if near:
            client = rng.choice(near)
            host = (key_of(ground, client, "compose", "environment", "DB_HOST"), database.name.name)
            size = key_of(ground, client, "compose", "environment", rng.choice(["DB_POOL_SIZE", "DATABASE_POOL_MAX"]))
            return Patch("network/connections", size, rng.randint(2_000, 9_000), (host,))
    return None


# --- scaling, volumes ---


def memory_on_cache(rng: random.Random, ground: Ground) -> Patch | None:
    """A cache that is scaled by memory."""
    service = chosen(rng, services(ground, lambda one: "redis" in one.image and not one.replicas.scaled))
    if service is None:
        return None
    scale = {"min": 1, "max": 1, "on": {"memory": f"{rng.randint(60, 95)}% of limit"}}
    return Patch("scaling/memory-on-cache", key_of(ground, service, "scale"), scale)


def two_scalers(rng: random.Random, ground: Ground) -> Patch | None:
    """Copies that come and go at once."""
    service = chosen(rng, services(ground, lambda one: not one.replicas.scaled and not one.gpu))
    up = rng.randint(30, 60)
    scale = {
        "min": 1,
        "max": service.replicas.count,
        "on": {"cpus": f"{up}% of limit"},
        "down": f"{up + rng.randint(0, 20)}%",
    }
    scale["min"] = service.replicas.count
    return Patch("scaling/two-scalers", key_of(ground, service, "scale"), scale)


def never_reached(rng: random.Random, ground: Ground) -> Patch | None:
    """A trigger above the limit."""
    service = chosen(rng, services(ground, lambda one: not one.replicas.scaled and "cpus" in one.limits))
    if service is None:
        return None
    count = service.replicas.count
    scale = {"min": count, "max": count, "on": {"cpus": f"{rng.randint(100, 300)}%"}}
    return Patch("scaling/never-reached", key_of(ground, service, "scale"), scale)


def nothing_to_follow(rng: random.Random, ground: Ground) -> Patch | None:
    """A metric that nobody defines."""
    service = chosen(rng, services(ground, lambda one: not one.replicas.scaled))
    count = service.replicas.count
    scale = {"min": count, "max": count, "on": {f"waiting_{rng.randint(1, 99)}": rng.randint(1, 200)}}
    return Patch("scaling/nothing-to-follow", key_of(ground, service, "scale"), scale)


def class_nowhere(rng: random.Random, ground: Ground) -> Patch | None:
    """A class of disk that nobody has."""
    volumes = ground.tree.get("volumes")
    classed = [
        (key, node)
        for key, node in (volumes.items() if volumes is not None else ())
        if node.get("class") is not None and not any(sign in key for sign in "*{")
    ]
    found = chosen(rng, classed)
    if found is None:
        return None
    key, node = found
    value = {**node.value, "class": f"tape{rng.randint(1, 99)}"}
    return Patch("volumes/class-nowhere", ("volumes", key), value)


def over_disk(rng: random.Random, ground: Ground) -> Patch | None:
    """A volume larger than any disk."""
    volumes = ground.tree.get("volumes")
    mounted = {key for service in services(ground) for key in service.volume_keys}
    sized = [
        key
        for key, node in (volumes.items() if volumes is not None else ())
        if node.get("class") is not None and node.get("size") is not None and key.rpartition("/")[2] in mounted
    ]
    key = chosen(rng, sized)
    return Patch("volumes/over-disk", ("volumes", key, "size"), f"{rng.randint(90, 900)}TB") if key else None


# --- security ---


def flag(rule: str, key: str, value: Any) -> Plant:
    """Return a plant that lays a Compose key over some service which has it not."""

    def plant(rng: random.Random, ground: Ground) -> Patch | None:
        service = chosen(rng, services(ground, lambda one: not one.body.get(key) and one.name.name != "edge-api"))
        return Patch(rule, key_of(ground, service, "compose", key), value)

    plant.__name__ = key
    return plant


def literal_secret(rng: random.Random, ground: Ground) -> Patch | None:
    """A password in the policy."""
    service = chosen(rng, services(ground, lambda one: not isinstance(one.body.get("environment"), list)))
    key = rng.choice(["DB_PASSWORD", "API_TOKEN", "CLIENT_SECRET", "S3_SECRET_KEY"])
    path = key_of(ground, service, "compose", "environment", key)
    return Patch("security/literal-secret", path, f"s3cr3t{rng.randint(0, 9999)}")


def literal_elsewhere(rng: random.Random, ground: Ground) -> Patch | None:
    """A password in a label, a connection string or a webhook."""
    plain = services(ground, lambda one: not one.body.get("labels") and one.name.name != "edge-api")
    service = chosen(rng, [one for one in plain if not isinstance(one.body.get("environment"), list)])
    word = f"s3cr3t{rng.randint(0, 9999)}"
    where, value = rng.choice(
        [
            (("labels",), {"app.password": word}),
            (("environment", "JDBC"), f"jdbc:postgresql://db/app?user=app&password={word}"),
            (("environment", "ALERTS"), f"https://hooks.slack.com/services/{word}"),
        ]
    )
    return Patch("security/literal-secret", key_of(ground, service, "compose", *where), value)


def docker_socket(rng: random.Random, ground: Ground) -> Patch | None:
    """Docker's socket for somebody who has none."""
    suiting = services(ground, lambda one: not any("docker.sock" in mount.source for mount in one.mounts))
    service = chosen(rng, [one for one in suiting if not one.bind_paths])
    path = key_of(ground, service, "compose", "volumes")
    mine = [f"{mount.source}:{mount.target}" for mount in service.mounts if mount.source]
    return Patch("security/docker-socket", path, [*mine, "/var/run/docker.sock:/var/run/docker.sock"])


# --- duplicates ---


def same_image(rng: random.Random, ground: Ground) -> Patch | None:
    """Another service becomes one more of a program that runs already, or two become the same one."""
    program = rng.choice(["prom/prometheus:v3.1.0", "grafana/grafana:11.4.0"])
    others = services(ground, lambda one: not runs(one, program) and not one.name.name.startswith("edge-"))
    programs = Counter(image_name(one.image) for one in services(ground))
    lone = [one for one in others if settled(one.image) or programs[image_name(one.image)] == 1]
    plain = [one for one in lone if not one.tuning and not one.build and not is_moving(one.image)]
    plain = [one for one in plain if not brings_check(one.image)]  # else its check would be missed, too
    there = bool(services(ground, lambda one: runs(one, program)))
    if len(plain) < (1 if there else 2):
        return None
    one, *more = rng.sample(plain, 1 if there else 2)
    also = tuple((key_of(ground, other, "compose", "image"), program) for other in more)
    return Patch("duplicates/same-image", key_of(ground, one, "compose", "image"), program, also)


def settled(image: str) -> bool:
    """Whether an image is no shared program, and has a tag that stays."""
    return image_name(image) not in SHARED and not is_moving(image)


def runs(service: Service, image: str) -> bool:
    """Whether a service runs a program of this name."""
    return service.image.rpartition("/")[2].partition(":")[0] == image.rpartition("/")[2].partition(":")[0]


# --- rollout ---


def window(rng: random.Random, ground: Ground) -> Patch | None:
    """A window that never opens."""
    hour = f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}"
    return Patch("rollout/window", ("rollout", "window"), f"{hour}-{hour} Europe/Berlin") if ground.tree else None


def keep_source(rng: random.Random, ground: Ground) -> Patch | None:
    """The old copy of data thrown away."""
    value = rng.choice(["0s", "0m", "0h", "0d"])
    return Patch("rollout/no-undo", ("rollout", "keep_source"), value) if ground.tree else None


def budget(rng: random.Random, ground: Ground) -> Patch | None:
    """A budget of nothing, of all, or for a label of nobody."""
    value = rng.choice(["0%", "100%", "250%", f"10% per floor{rng.randint(1, 9)}"])
    return Patch("rollout/budget", ("rollout", "budget"), value) if ground.tree else None


# --- thresholds, totals, evidence ---


def warning_over_critical(rng: random.Random, ground: Ground) -> Patch | None:
    """Lines of an alert the wrong way round."""
    critical = rng.randint(93, 96)
    value = {"warning": f"{critical + rng.randint(1, 3)}%", "critical": f"{critical}%"}
    name = rng.choice(["node.memory", "node.cpus"])
    return Patch("thresholds/warning-over-critical", ("alerts", name), value) if ground.tree else None


def wrong_claim(rng: random.Random, ground: Ground) -> Patch | None:
    """A claim about some service or node that is not so."""
    service = chosen(rng, services(ground, lambda one: "memory" in one.limits))
    said = ground.tree.get("expect")
    at = ("expect", len(said.value) if said is not None else 0)
    if service is None:
        return None
    if rng.random() < 0.5:
        return Patch("claims/wrong", at, {"of": f"service/{service.name}", "copies": rng.randint(700, 900)})
    node = rng.choice(sorted(ground.policy.to_be.nodes))
    return Patch("claims/wrong", at, {"of": f"node/{node}", "capacity.cpus": rng.randint(7000, 9000)})


def first_limit(rng: random.Random, ground: Ground) -> Patch | None:
    """A saving on a service that declares nothing."""
    before = ground.policy.as_is.services
    free = services(
        ground,
        lambda one: one.name in before and not {"memory"} & {*before[one.name].limits, *before[one.name].requests},
    )
    service = chosen(rng, free)
    if service is None:
        return None
    said = ground.tree.get("expect")
    at = ("expect", len(said.value) if said is not None else 0)
    saves = {"of": f"service/{service.name}", "saves": {"memory": f"{rng.randint(1, 9)}GiB"}}
    return Patch("claims/wrong", at, saves)


# --- tuning, gpu, pinning ---


def heap_over_limit(rng: random.Random, ground: Ground) -> Patch | None:
    """A heap larger than the limit."""
    service = chosen(
        rng,
        services(
            ground,
            lambda one: (
                "memory" in one.limits
                and settled(one.image)
                and not one.tuning
                and not isinstance(one.body.get("environment"), list)
                and not any("JAVA" in key or "HEAP" in key for key in one.body.get("environment") or ())
            ),
        ),
    )
    if service is None:
        return None
    path = key_of(ground, service, "compose", "environment", "JAVA_TOOL_OPTIONS")
    much = service.limits["memory"].amount // 2**20 * rng.randint(2, 5)
    return Patch("tuning/heap-over-limit", path, f"-Xmx{much}m")


def free_of_memory(ground: Ground) -> list[Service]:
    """Return the services with a limit of memory of which nobody says what their application does with it."""
    return services(
        ground,
        lambda one: (
            "memory" in one.limits
            and settled(one.image)
            and not one.tuning
            and not one.body.get("command")
            and not one.body.get("shm_size")
            and not isinstance(one.body.get("environment"), list)
            and not any("JAVA" in key or "HEAP" in key for key in one.body.get("environment") or ())
        ),
    )


def memory_limit_of_go(rng: random.Random, ground: Ground) -> Patch | None:
    """A heap of Go larger than the limit, some of it said with a variable."""
    service = chosen(rng, free_of_memory(ground))
    if service is None:
        return None
    path = key_of(ground, service, "compose", "environment", "GOMEMLIMIT")
    much = service.limits["memory"].amount // 2**20 * rng.randint(2, 5)
    return Patch("tuning/heap-over-limit", path, rng.choice([f"{much}MiB", f"${{NOBODY_SETS_THIS:-{much}MiB}}"]))


def files_over_limit(rng: random.Random, ground: Ground) -> Patch | None:
    """Shared memory larger than the limit."""
    service = chosen(rng, free_of_memory(ground))
    if service is None:
        return None
    much = service.limits["memory"].amount // 2**20 * rng.randint(1, 4)
    return Patch("tuning/files-over-limit", key_of(ground, service, "compose", "shm_size"), f"{much}m")


def unknown_set(rng: random.Random, ground: Ground) -> Patch | None:
    """Cores by a name that no node has."""
    plain = services(ground, lambda one: one.cores == "shared" and not one.pool and "cpus" in one.requests)
    service = chosen(rng, plain)
    if service is None:
        return None
    return Patch("pinning/unknown-set", key_of(ground, service, "cores"), f"quiet{rng.randint(1, 99)}")


def reserved_cores(rng: random.Random, ground: Ground) -> Patch | None:
    """The cores of the system for a service."""
    mapped = {name for name, node in ground.policy.to_be.nodes.items() if "os" in node.core_map}
    plain = services(ground, lambda one: one.cores == "shared" and one.placement.node in mapped and not one.pool)
    service = chosen(rng, plain)
    return Patch("pinning/reserved-cores", key_of(ground, service, "cores"), "os") if service else None


def confined(ground: Ground) -> list[tuple[Service, str, tuple[int, ...]]]:
    """Return the services that could be given a set of their node, with each such set and its cores."""
    nodes = ground.policy.to_be.nodes
    free = services(ground, lambda one: one.cores == "shared" and not one.pool and not one.replicas.scaled)
    return [
        (service, name, some)
        for service in free
        if service.placement.node in nodes and "cpus" in service.requests and "cpuset" not in service.body
        for name, some in sorted(nodes[service.placement.node].core_map.items())
        if name != "os" and service.requests["cpus"].amount <= 500
    ]


def limit_over_cores(rng: random.Random, ground: Ground) -> Patch | None:
    """A limit of more CPUs than the set that somebody is given."""
    found = chosen(rng, confined(ground))
    if found is None:
        return None
    service, name, some = found
    path = key_of(ground, service, "limits", "cpus")
    more = ((key_of(ground, service, "cores"), name),)
    return Patch("pinning/limit-over-cores", path, len(some) + rng.randint(1, 4), more)


def cuts_into_a_set(rng: random.Random, ground: Ground) -> Patch | None:
    """Cores of a set, and one that is in none."""
    found = chosen(rng, confined(ground))
    if found is None:
        return None
    service, _, some = found
    node = ground.policy.to_be.nodes[service.placement.node]
    mapped = {core for cores in node.core_map.values() for core in cores}
    free = [core for core in range(node.has("cpus") // 1000) if core not in mapped]
    if not free:
        return None
    cores = f"{rng.choice(some)},{rng.choice(free)}"
    return Patch("pinning/overlap", key_of(ground, service, "cores"), cores)


def fewer_cards(rng: random.Random, ground: Ground) -> Patch | None:
    """More cards than there are."""
    cards = sum(len(node.gpus) for node in ground.policy.to_be.nodes.values())
    asking = services(ground, lambda one: one.gpu is not None and one.gpu.count > 0)
    free = asking or services(ground, lambda one: one.gpu is None and not one.pool and one.placement.node != "")
    service = chosen(rng, free)
    if service is None or not cards or (not asking and ground.tree.get("expect") is not None):
        return None
    return Patch("gpu/nowhere", key_of(ground, service, "gpu"), cards + rng.randint(1, 40))


FAMILIES: dict[str, tuple[Plant, ...]] = {
    "capacity": (limit_over_node, pools_over_nodes, replicas_at_max, growth_over_quota, *guests.CAPACITY),
    "qos": (not_guaranteed, halves_of_cpus, called_best_effort, *guests.QOS),
    "scaling": (memory_on_cache, two_scalers, never_reached, nothing_to_follow, *guests.SCALING),
    "volumes": (class_nowhere, over_disk, *guests.VOLUMES),
    "network": (port_taken, address_outside, never_healthy, port_twice, connections, *guests.NETWORK),
    "security": (
        flag("security/privileged", "privileged", value=True),
        flag("security/host-pid", "pid", "host"),
        flag("security/capabilities", "cap_add", ["SYS_ADMIN"]),
        flag("security/host-namespace", "ipc", "host"),
        flag("security/unconfined", "security_opt", ["seccomp:unconfined"]),
        flag("security/devices", "devices", ["/dev/sda:/dev/sda"]),
        literal_elsewhere,
        literal_secret,
        docker_socket,
        *guests.SECURITY,
    ),
    "duplicates": (same_image,),
    "rollout": (window, keep_source, budget, *guests.ROLLOUT),
    "thresholds": (warning_over_critical, *WATCHED, *guests.THRESHOLDS),
    "totals": (wrong_claim, *BELIEVED),
    "savings": (*TOTALS, *guests.SAVINGS),
    "evidence": (first_limit, *guests.EVIDENCE),
    "tuning": (heap_over_limit, memory_limit_of_go, files_over_limit, *guests.TUNING),
    "pinning": (unknown_set, reserved_cores, limit_over_cores, cuts_into_a_set, *guests.PINNING),
    "gpu": (fewer_cards, *guests.GPU),
}
