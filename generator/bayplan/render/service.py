"""One service on one node as a Compose mapping: what was written and what is derived, each with its reason."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bayplan.analyse.cores import EXCLUSIVE, SHARED, cpuset, kind, show_cores
from bayplan.model import units
from bayplan.model.quantity import CPUS, MEMORY, PIDS, SWAP, Origin, Quantity
from bayplan.plan.state import mode
from bayplan.render import ties
from bayplan.render.emit import Said
from bayplan.render.slices import slice_of
from bayplan.tuning.applied import applied

if TYPE_CHECKING:
    from bayplan.model.service import Service
    from bayplan.render.standing import Standing

ORDER = (
    "image", "build", "platform", "container_name", "hostname", "profiles", "command", "entrypoint", "environment",
    "env_file", "depends_on", "ports", "networks", "network_mode", "extra_hosts", "volumes", "deploy", "cpu_shares",
    "cpuset", "cgroup_parent", "healthcheck", "restart", "logging",
    # inside of ports, volumes, deploy, healthcheck, …
    "type", "source", "target", "published", "protocol", "read_only", "replicas", "resources", "limits", "reservations",
    "cpus", "memory", "pids", "devices", "test", "interval", "timeout", "retries", "start_period", "context",
    "dockerfile", "driver", "options",
)  # fmt: skip
"""The order in which keys are written; the others follow by name."""


def service_body(standing: Standing) -> dict[str, Any]:
    """Return the Compose mapping of a service on a node, in writing order, derived values with their reason."""
    body = copy.deepcopy(dict(standing.service.body))
    # What stands in the file is what runs: the profiles were chosen when the policy was read.
    body.pop("profiles", None)
    _sizes(standing.service, body, len(standing.copies))
    _ports(standing.service, body)
    ties.addresses(standing, body)
    ties.alias(standing, body)
    ties.neighbours(standing, body)
    _cards(standing, body)
    _cores(standing, body)
    _pool(standing, body)
    _tuning(standing.service, body)
    return {key: ordered(body[key]) for key in sorted(body, key=_rank) if body[key] != {}}


def _rank(key: str) -> tuple[int, str]:
    return (ORDER.index(key) if key in ORDER else len(ORDER), key)


def ordered(value: Any) -> Any:
    """Return a value with its keys in the one order there is; the order of lists says something and stays."""
    if isinstance(value, Said):
        return Said(ordered(value.value), value.comment)
    if isinstance(value, Mapping):
        return {key: ordered(value[key]) for key in sorted(value, key=_rank)}
    if isinstance(value, list):
        return [ordered(item) for item in value]
    return value


def because(resource: str, amount: Quantity) -> str:
    """Return why an amount is what it is: who says it, what it was, and the reason given. Empty if Compose said it."""
    if amount.source == "compose":
        return ""
    written = next((layer for layer in amount.layers[1:] if layer.source == "compose"), None)
    was = f", was {_amount(resource, written)}" if written is not None and written.amount != amount.amount else ""
    why = f": {amount.why}" if amount.why else ""
    return f"{amount.source}{was}{why}"


def _amount(resource: str, amount: Quantity) -> str:
    """Return a replaced amount in words; the key beside it says what it is an amount of."""
    if resource in (MEMORY, SWAP):
        return units.show_bytes(amount.amount)
    return units.show_cpus(amount.amount) if resource == CPUS else str(amount.amount)


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
        reservations[MEMORY] = Said(units.compose_bytes(request.amount), because(MEMORY, request))
    asked = {key: value for key, value in (("limits", limits), ("reservations", reservations)) if value}
    deploy = {"resources": asked, **{key: value for key, value in deploy.items() if key != "resources"}}
    if copies > 1:
        deploy = {"replicas": copies, **deploy}
    body["deploy"] = {key: value for key, value in deploy.items() if value not in ({}, None)}
    swap = service.limits.get(SWAP)
    memory = service.limits.get(MEMORY)
    if memory is None:
        body.pop("memswap_limit", None)  # Docker refuses it alone
    elif swap is not None:
        body["memswap_limit"] = Said(units.compose_bytes(memory.amount + swap.amount), because(SWAP, swap))
    share = service.requests.get(CPUS)
    # A default fills what nobody said; shares in the Compose file are somebody's word.
    if share is not None and not ("cpu_shares" in body and share.origin is Origin.INHERITED):
        # Docker knows no CPU request; its weight is the share that holds when CPUs are scarce.
        shares = units.cpu_shares(share.amount)
        words = because(CPUS, share) or "reservations.cpus, which Compose ignores"
        body["cpu_shares"] = Said(shares, f"{units.show_cpus(share.amount)} CPU requested: {words}")


def _limits(service: Service) -> dict[str, Said]:
    limits: dict[str, Said] = {}
    for resource in (CPUS, MEMORY, PIDS):
        amount = service.limits.get(resource)
        if amount is None:
            continue
        text: Any = {CPUS: units.compose_cpus, MEMORY: units.compose_bytes}.get(resource, int)(amount.amount)
        limits[resource] = Said(text, because(resource, amount))
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
    """Write the cpuset of a named core set, of a range, of cores of one's own, and of what is left beside those."""
    said = standing.service.cores
    known = standing.node.core_map.get(said)
    shared = kind(standing.fleet, standing.service) == SHARED
    given = cpuset(standing.fleet, standing.cores, standing.node, standing.copies)
    if known:
        body["cpuset"] = Said(show_cores(known), f"cores: {said}")
    elif given and (not shared or "cpuset" not in body):  # cores of one's own are the policy's word, over the file's
        body["cpuset"] = Said(
            show_cores(given), "cores: shared, all but those of others" if shared else f"cores: {said}"
        )
    elif said not in ("", SHARED, EXCLUSIVE):
        body["cpuset"] = said


def _pool(standing: Standing, body: dict[str, Any]) -> None:
    """Let the kernel hold the quota of the pool, and say on the node what runs only when it is asked for."""
    fleet, service = standing.fleet, standing.service
    joined = slice_of(fleet, service)
    if joined:
        why = fleet.pools[service.pool].why
        body["cgroup_parent"] = Said(joined, f"pool {service.pool}{f': {why}' if why else ''}")
    run = mode(fleet, service)
    if run != "always":
        # Compose leaves keys of this form out of its hash: nothing is recreated for it.
        body["x-bayplan"] = {"run": run}


def _tuning(service: Service, body: dict[str, Any]) -> None:
    if service.tuning is None:
        return
    done = applied(service, body)
    made = done.made
    label = f"tuning {service.tuning.recipe}".rstrip()

    def why(*names: str) -> str:
        words = next((made.why[name] for name in names if made.why.get(name)), "")
        return f"{label}: {words}" if words else label

    if done.environment:
        values = done.environment.items()
        body["environment"] = {key: Said(one, why(key)) if key in made.environment else one for key, one in values}
    if done.line is not None:
        given = {index: why(*names) for index, names in done.line.given.items()}
        body[done.line.key] = [Said(word, given.get(index, "")) for index, word in enumerate(done.line.words)]
    elif made.command:
        body["command"] = Said(list(made.command), why("command"))
