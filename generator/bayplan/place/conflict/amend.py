"""Apply a policy line to a fleet: what the policy room would make of it, done on the model.

Remedies are proven with it: the changed fleet is solved again before anyone reads the proposal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bayplan.model import units
from bayplan.model.fleet import Network, Pool, Share, Volume
from bayplan.model.names import Name
from bayplan.model.quantity import CPUS, MEMORY, Quantity
from bayplan.model.service import PlacementRule, Replicas

if TYPE_CHECKING:
    from collections.abc import Callable

    from bayplan.model.fleet import Fleet, Node
    from bayplan.model.service import Service

SOURCE = "remedy"
"""Who says an amended quantity."""


def amend(fleet: Fleet, path: tuple[str, ...], value: object) -> Fleet:
    """Return the fleet with the value at a policy path: ("services", "bev/neo4j", "limits", "memory"), "2GiB"."""
    for section, entries in nest(path, value).items():
        for key, change in entries.items():
            fleet = _SECTIONS[section](fleet, key, change)
    return fleet


def nest(path: tuple[str, ...], value: object) -> dict[str, Any]:
    """Return the value below its path, as the mapping that the policy would hold."""
    for key in reversed(path):
        value = {key: value}
    if not isinstance(value, dict):
        msg = f"a path of at least one key is needed for {value!r}"
        raise TypeError(msg)
    return value


def show(path: tuple[str, ...], value: object) -> str:
    """Return the policy line that one can paste: `services: {bev/neo4j: {limits: {memory: 2GiB}}}`."""
    ((section, entries),) = nest(path, value).items()
    return f"{section}: {flow(entries)}"


def flow(value: object) -> str:
    """Return plain data as a policy has it on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key)}: {flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(one) for one in value) + "]"
    return "null" if value is None else str(value)


def _key(key: object) -> str:
    text = str(key)
    return f'"{text}"' if text[:1] in "*{&!%@`" or ": " in text else text


def quantity(resource: str, text: object, place_of: Quantity | None = None) -> Quantity:
    """Return an amount in the unit of its resource from the policy's words."""
    if resource == CPUS:
        amount = units.cpus(text)
    elif resource == MEMORY or resource.endswith("memory"):
        amount = units.policy_memory(text)
    else:
        amount = int(str(text))
    found = Quantity(amount, source=SOURCE)
    return replace(found, place=place_of.place) if place_of else found


def name_of(key: str) -> Name:
    """Return the name that a policy key means; an absolute path belongs to no project."""
    return Name("", key) if key.startswith("/") else Name.parse(key)


def key_of(name: Name) -> str:
    """Return the policy key of a name."""
    return str(name) if name.project else name.name


def _node(fleet: Fleet, key: str, change: Mapping[str, Any]) -> Fleet:
    node = fleet.nodes[key]
    for word, value in change.items():
        if word == "ceilings":
            shares = {resource: Share(units.share(one)) for resource, one in value.items()}
            node = replace(node, ceilings={**node.ceilings, **shares})
        elif word == "resources":
            node = _with_capacity(node, value)
        else:
            node = _with_capacity(node, {word: value})
    return replace(fleet, nodes={**fleet.nodes, key: node})


def _with_capacity(node: Node, amounts: Mapping[str, Any]) -> Node:
    found = {resource: quantity(resource, text, node.capacity.get(resource)) for resource, text in amounts.items()}
    return replace(node, capacity={**node.capacity, **found})


def _service(fleet: Fleet, key: str, change: Mapping[str, Any]) -> Fleet:
    name = name_of(key)
    service = fleet.services[name]
    for word, value in change.items():
        service = _WORDS[word](service, value)
    return replace(fleet, services={**fleet.services, name: service})


def _limits(service: Service, value: Mapping[str, Any]) -> Service:
    found = {one: quantity(one, text, service.limits.get(one)) for one, text in value.items()}
    return replace(service, limits={**service.limits, **found})


def _requests(service: Service, value: Mapping[str, Any]) -> Service:
    found = {one: quantity(one, text, service.requests.get(one)) for one, text in value.items()}
    return replace(service, requests={**service.requests, **found})


def _placement(service: Service, value: Mapping[str, Any] | str | None) -> Service:
    if value is None or isinstance(value, str):
        return replace(service, placement=PlacementRule(value or "", place=service.placement.place))
    rule = service.placement
    for word, one in value.items():
        rule = replace(rule, **_RULES[word](one))
    return replace(service, placement=rule)


def _spread(value: Mapping[str, Any] | None) -> dict[str, Any]:
    return (
        {"spread": "", "spread_soft": False} if value is None else {"spread": value["by"], "spread_soft": value["soft"]}
    )


def _replicas(service: Service, value: int) -> Service:
    old = service.replicas
    return replace(
        service, replicas=Replicas(value, min(old.minimum, value), max(old.maximum, value), old.place, old.scaled)
    )


def _gpu(service: Service, value: Mapping[str, Any] | str) -> Service:
    ask = service.gpu
    said: Mapping[str, Any] = value if isinstance(value, Mapping) else {"memory": value}
    if ask is None:
        return service
    memory = units.policy_memory(said["memory"]) if "memory" in said else ask.memory
    return replace(service, gpu=replace(ask, memory=memory, count=said.get("count", ask.count)))


def _volume(fleet: Fleet, key: str, change: Mapping[str, str]) -> Fleet:
    name = name_of(key)
    is_path = name.name.startswith((".", "/", "~", "$"))
    volume = fleet.volumes.get(name, Volume(name, is_path=is_path, on_move="never" if is_path else "carry"))
    # The keys of a change are fields of the model, which the schema holds and mypy cannot see.
    volume = replace(volume, said=volume.said | set(change), **change)  # type: ignore[arg-type]
    return replace(fleet, volumes={**fleet.volumes, name: volume})


def _network(fleet: Fleet, key: str, change: Mapping[str, str]) -> Fleet:
    name = name_of(key)
    network = fleet.networks.get(name, Network(name))
    # As for volumes: the keys are fields.
    return replace(fleet, networks={**fleet.networks, name: replace(network, **change)})  # type: ignore[arg-type]


def _pool(fleet: Fleet, key: str, change: Mapping[str, Any]) -> Fleet:
    pool = fleet.pools.get(key, Pool(key))
    plain = {word: value for word, value in change.items() if word in {"scaling", "concurrent"}}
    bounds = change.get("quota", {}).get("requests", {})
    requests = {resource: quantity(resource, text) for resource, text in bounds.items()}
    pool = replace(pool, quota={**pool.quota, "requests": requests} if requests else pool.quota, **plain)
    for name in map(name_of, change.get("services", ())):
        member = replace(fleet.services[name], pool=key)
        fleet = replace(fleet, services={**fleet.services, name: member})
    return replace(fleet, pools={**fleet.pools, key: pool})


_RULES: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "spread": _spread,
    "affinity": lambda _: {"affinity": {}},
    "anti_affinity": lambda _: {"anti_affinity": {}},
    "require": lambda _: {"require": {}},
    "nodes": lambda value: {"nodes": tuple(value or ()), **({"node": ""} if value else {})},
    "tolerations": lambda value: {"tolerations": tuple(value)},
}
_WORDS: Mapping[str, Callable[[Service, Any], Service]] = {
    "limits": _limits,
    "requests": _requests,
    "placement": _placement,
    "replicas": _replicas,
    "scale": lambda service, value: _replicas(service, value["min"]),
    "gpu": _gpu,
    "remap_ports": lambda service, value: replace(service, remap_ports={**service.remap_ports, **value}),
}
_SECTIONS: Mapping[str, Callable[[Fleet, str, Any], Fleet]] = {
    "nodes": _node,
    "services": _service,
    "volumes": _volume,
    "networks": _network,
    "pools": _pool,
}
