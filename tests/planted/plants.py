"""What can be planted: by family, each a function that finds a random place for one contradiction, or none."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bayplan.model.names import Name

if TYPE_CHECKING:
    from ground import Ground, Where

    from bayplan.model.service import Service

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
    free = services(ground, lambda one: not (one.pool and fleet.pools[one.pool].quota) and one.qos != "guaranteed")
    service = chosen(rng, [one for one in free if "cpus" in one.requests])
    if service is None:
        return None
    most = max(node.has("cpus") for node in fleet.nodes.values()) // 1000
    return Patch("capacity/limit-over-node", key_of(ground, service, "limits", "cpus"), most * rng.randint(2, 9) + 1)


def pools_over_nodes(rng: random.Random, ground: Ground) -> Patch | None:
    """A quota of requests larger than the fleet."""
    fleet = ground.policy.to_be
    pool = chosen(rng, [one for one in fleet.pools.values() if not one.per_node and one.quota.get("requests")])
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


# --- qos ---


def not_guaranteed(rng: random.Random, ground: Ground) -> Patch | None:
    """Guaranteed, and yet half of it."""
    service = chosen(rng, services(ground, lambda one: "memory" in one.limits and one.qos != "guaranteed"))
    if service is None:
        return None
    limit = service.limits["memory"].amount // 2**20
    value = {"memory": f"{max(1, limit // rng.randint(2, 4))}MiB"}
    if "cpus" in service.requests:
        value["cpus"] = f"{service.requests['cpus'].amount}m"
    return Patch("qos/not-guaranteed", key_of(ground, service, "requests"), value, (
        (key_of(ground, service, "qos"), "guaranteed"),
    ))  # fmt: skip


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


FAMILIES: dict[str, tuple[Plant, ...]] = {
    "capacity": (limit_over_node, pools_over_nodes, replicas_at_max),
    "qos": (not_guaranteed,),
    "network": (port_taken,),
}
_ = Name
