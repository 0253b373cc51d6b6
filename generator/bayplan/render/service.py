"""One service on one node as a Compose mapping: what was written and what is derived, each with its reason."""

from __future__ import annotations

import copy
import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bayplan.model import units
from bayplan.model.names import Instance, Name
from bayplan.model.quantity import CPUS, MEMORY, PIDS, SWAP, Quantity
from bayplan.render.emit import Said
from bayplan.render.tuning import command, reads, tuned

if TYPE_CHECKING:
    from bayplan.model.fleet import Fleet, Node
    from bayplan.model.placement import Placement, Seat
    from bayplan.model.service import Service

_SHARES_OF_ONE_CPU = 1024

ORDER = (
    "image", "build", "platform", "container_name", "hostname", "profiles", "command", "entrypoint", "environment",
    "env_file", "depends_on", "ports", "networks", "network_mode", "extra_hosts", "volumes", "deploy", "cpu_shares",
    "cpuset", "healthcheck", "restart", "logging",
    # inside of ports, volumes, deploy, healthcheck, …
    "type", "source", "target", "published", "protocol", "read_only", "replicas", "resources", "limits", "reservations",
    "test", "interval", "timeout", "retries", "start_period", "context", "dockerfile", "driver", "options",
)  # fmt: skip
"""The order in which keys are written; the others follow by name."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A service on a node: the copies that stand there, all with the same cards."""

    fleet: Fleet
    placement: Placement
    service: Service
    node: Node
    copies: tuple[Instance, ...]

    @property
    def seat(self) -> Seat:
        """Return the seat of the first copy; the others are alike."""
        return self.placement.seats[self.copies[0]]

    @property
    def came(self) -> bool:
        """Whether it runs somewhere else today."""
        old = {self.fleet.standing[copy] for copy in self.copies if copy in self.fleet.standing}
        return bool(old) and self.node.name not in old


def service_body(standing: Standing) -> dict[str, Any]:
    """Return the Compose mapping of a service on a node, in writing order, derived values with their reason."""
    body = copy.deepcopy(dict(standing.service.body))
    _sizes(standing.service, body, len(standing.copies))
    _ports(standing.service, body)
    _networks(standing, body)
    _neighbours(standing, body)
    _cards(standing, body)
    _cores(standing, body)
    _tuning(standing.service, body)
    return {key: _ordered(body[key]) for key in sorted(body, key=_rank) if body[key] != {}}


def _rank(key: str) -> tuple[int, str]:
    return (ORDER.index(key) if key in ORDER else len(ORDER), key)


def _ordered(value: Any) -> Any:
    """Return a value with its keys in the one order there is; the order of lists says something and stays."""
    if isinstance(value, Said):
        return Said(_ordered(value.value), value.comment)
    if isinstance(value, Mapping):
        return {key: _ordered(value[key]) for key in sorted(value, key=_rank)}
    if isinstance(value, list):
        return [_ordered(item) for item in value]
    return value


def because(amount: Quantity) -> str:
    """Return why an amount is what it is: who says it, what it was, and the reason given. Empty if Compose said it."""
    if amount.source == "compose":
        return ""
    written = next((layer for layer in amount.layers[1:] if layer.source == "compose"), None)
    was = f", was {_amount(written)}" if written is not None and written.amount != amount.amount else ""
    why = f": {amount.why}" if amount.why else ""
    return f"{amount.source}{was}{why}"


def _amount(amount: Quantity) -> str:
    """Return a replaced amount in words; bytes are told from thousandths by their size."""
    return units.show_bytes(amount.amount) if amount.amount >= units.MIB else f"{amount.amount / 1000:g}"


def _sizes(service: Service, body: dict[str, Any], copies: int) -> None:
    for key in ("mem_limit", "mem_reservation", "cpus", "pids_limit", "scale"):
        body.pop(key, None)
    deploy = dict(body.get("deploy") or {})
    deploy.pop("replicas", None)
    asked = dict(deploy.get("resources") or {})
    limits = _limits(service)
    reservations = {key: value for key, value in (asked.get("reservations") or {}).items() if key not in (CPUS, MEMORY)}
    request = service.requests.get(MEMORY)
    if request is not None:
        reservations = {MEMORY: Said(units.compose_bytes(request.amount), because(request)), **reservations}
    asked = {key: value for key, value in (("limits", limits), ("reservations", reservations)) if value}
    deploy = {"resources": asked, **{key: value for key, value in deploy.items() if key != "resources"}}
    if copies > 1:
        deploy = {"replicas": copies, **deploy}
    body["deploy"] = {key: value for key, value in deploy.items() if value not in ({}, None)}
    swap = service.limits.get(SWAP)
    memory = service.limits.get(MEMORY)
    if swap is not None and memory is not None:
        body["memswap_limit"] = Said(units.compose_bytes(memory.amount + swap.amount), because(swap))
    share = service.requests.get(CPUS)
    if share is not None:
        # Docker knows no CPU request; its weight is the share that holds when CPUs are scarce.
        shares = max(2, round(share.amount * _SHARES_OF_ONE_CPU / 1000))
        words = because(share) or "reservations.cpus, which Compose ignores"
        body["cpu_shares"] = Said(shares, f"{units.show_cpus(share.amount)} CPU requested: {words}")


def _limits(service: Service) -> dict[str, Said]:
    limits: dict[str, Said] = {}
    for resource in (CPUS, MEMORY, PIDS):
        amount = service.limits.get(resource)
        if amount is None:
            continue
        text: Any = {CPUS: units.compose_cpus, MEMORY: units.compose_bytes}.get(resource, int)(amount.amount)
        limits[resource] = Said(text, because(amount))
    return limits


def _ports(service: Service, body: dict[str, Any]) -> None:
    if not service.remap_ports:
        return
    ports = []
    for port in body.get("ports") or ():
        published = str(port.get("published", ""))
        new = service.remap_ports.get(int(published)) if published.isdigit() else None
        if new is None:
            ports.append(port)
        else:
            why = f": {service.changed['remap_ports']}" if service.changed.get("remap_ports") else ""
            ports.append({**port, "published": Said(str(new), f"remap_ports, was {published}{why}")})
    body["ports"] = ports


def _networks(standing: Standing, body: dict[str, Any]) -> None:
    """Take fixed addresses away where the policy says so: an address of a one-host bridge does not travel."""
    networks = body.get("networks")
    if not isinstance(networks, Mapping):
        return
    kept: dict[str, Any] = {}
    for key, attachment in networks.items():
        network = standing.fleet.networks.get(Name(standing.service.name.project, key))
        rule = network.static_addresses if network else "keep"
        drop = rule == "drop" or (rule == "drop-when-moved" and standing.came)
        kept[key] = _without_address(attachment) if drop and isinstance(attachment, Mapping) else attachment
    body["networks"] = kept


def _without_address(attachment: Mapping[str, Any]) -> dict[str, Any] | None:
    return {key: value for key, value in attachment.items() if key not in ("ipv4_address", "ipv6_address")} or None


def _neighbours(standing: Standing, body: dict[str, Any]) -> None:
    """Replace dependencies on services of other nodes: names resolve to the other node, order is the rollout's."""
    depends = body.get("depends_on")
    if not isinstance(depends, Mapping):
        return
    project = standing.service.name.project
    here = {one.service for one in standing.placement.on(standing.node.name)}
    near = {name: value for name, value in depends.items() if Name(project, name) in here}
    far = sorted(set(depends) - set(near))
    body["depends_on"] = near
    if not near:
        del body["depends_on"]
    hosts = list(body.get("extra_hosts") or ()) if not isinstance(body.get("extra_hosts"), Mapping) else [
        f"{key}={value}" for key, value in body["extra_hosts"].items()
    ]  # fmt: skip
    for name in far:
        nodes = _nodes_of(standing, Name(project, name))
        for node in nodes[:1]:
            hosts.append(Said(f"{name}={address_of(standing.fleet.nodes[node])}", f"{name} stands on {node}"))
    if hosts:
        body["extra_hosts"] = hosts


def _nodes_of(standing: Standing, name: Name) -> list[str]:
    return sorted({seat.node for copy, seat in standing.placement.seats.items() if copy.service == name})


def address_of(node: Node) -> str:
    """Return what stands for a node's address in a file: the address if it is one, else a variable.

    `extra_hosts` takes no host names, so a name is resolved when the file is rolled out.
    """
    try:
        return str(ipaddress.ip_address(node.address))
    except ValueError:
        variable = "".join(char if char.isalnum() else "_" for char in node.name.upper())
        return f"${{BAYPLAN_ADDRESS_{variable}:?the IP address of {node.name}}}"


def _cards(standing: Standing, body: dict[str, Any]) -> None:
    """Name the cards that were given, by UUID where it is known: an index can change at a reboot."""
    ask = standing.service.gpu
    if ask is None or not standing.seat.gpus or not (ask.memory or ask.count or ask.profile):
        return
    known = {card.index: card.uuid or str(card.index) for card in standing.node.gpus}
    ids = [known.get(index, str(index)) for index in standing.seat.gpus]
    asked = ask.profile or (units.show_bytes(ask.memory) if ask.memory else f"{ask.count} whole")
    device = {
        "driver": "nvidia",
        "device_ids": [Said(one, f"gpu: {asked}") for one in ids],
        "capabilities": ["gpu"],
    }
    deploy = dict(body.get("deploy") or {})
    resources = dict(deploy.get("resources") or {})
    reservations = dict(resources.get("reservations") or {})
    others = [one for one in reservations.get("devices") or () if "gpu" not in (one.get("capabilities") or ())]
    reservations["devices"] = [*others, device]
    resources["reservations"] = reservations
    deploy["resources"] = resources
    body["deploy"] = deploy
    body.pop("gpus", None)


def _cores(standing: Standing, body: dict[str, Any]) -> None:
    """Write the cpuset of a named core set or a range."""
    cores = standing.service.cores
    if cores in ("", "shared", "exclusive"):
        return
    known = standing.node.core_map.get(cores)
    body["cpuset"] = Said(_ranges(known), f"cores: {cores}") if known else cores


def _ranges(cores: Iterable[int]) -> str:
    """Return `0-2,5` from cores."""
    runs: list[list[int]] = []
    for core in sorted(cores):
        if runs and runs[-1][-1] == core - 1:
            runs[-1].append(core)
        else:
            runs.append([core])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _tuning(service: Service, body: dict[str, Any]) -> None:
    made = tuned(service)
    name = service.tuning.recipe or "tuning" if service.tuning else "tuning"
    limit = service.limits.get(MEMORY)
    follows = f"tuning {name}" + (f": follows the limit of {units.show_bytes(limit.amount)}" if limit else "")
    if made.environment:
        environment = body.get("environment") or {}
        if not isinstance(environment, Mapping):
            environment = dict(item.partition("=")[::2] for item in environment)
        said = {key: Said(value, follows) for key, value in made.environment.items()}
        body["environment"] = dict(sorted({**environment, **said}.items()))
    words = command(reads(body), made)
    if words is not None:
        derived = {f"{name}={value}" for name, value in made.options.items()} | set(made.options.values())
        body["command"] = [Said(word, follows) if word in derived else word for word in words]
