"""What runs where, and with what: one shape for AS-IS and for TO-BE, so that a plan is their difference."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bayplan.model.fleet import Fleet
    from bayplan.model.names import Instance, Name
    from bayplan.model.placement import Seat
    from bayplan.model.service import Service


@dataclass(frozen=True, slots=True)
class Deployed:
    """One service as it is deployed.

    Attributes:
        seats: copy number → where it stands.
        resources: `limits.memory`, `requests.cpus`, `cpu_shares`, … → amount for one copy.
        settings: everything else of its Compose mapping, flat: dotted key → value.
        mode: `always`, or `on-demand` if its pool rests.
    """

    seats: Mapping[int, Seat] = field(default_factory=dict)
    resources: Mapping[str, int] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    mode: str = "always"

    @property
    def nodes(self) -> tuple[str, ...]:
        """Return the nodes that copies stand on, sorted."""
        return tuple(sorted({seat.node for seat in self.seats.values()}))


State = Mapping["Name", Deployed]


def state(fleet: Fleet, seats: Mapping[Instance, Seat], bodies: Mapping[Name, Mapping[str, Any]]) -> State:
    """Return the state of a fleet.

    Args:
        fleet: AS-IS or TO-BE.
        seats: where copies stand; a service without any is not deployed.
        bodies: the Compose mapping of each service as it is, or will be, written.
    """
    result: dict[Name, Deployed] = {}
    copies: dict[Name, dict[int, Seat]] = {}
    for one, seat in sorted(seats.items()):
        copies.setdefault(one.service, {})[one.number] = seat
    for service in fleet.active():
        own = {number: _seat(service, seat) for number, seat in copies.get(service.name, {}).items()}
        if own:
            body = bodies.get(service.name, service.body)
            amounts = {**resources(service), **weight(body)}
            result[service.name] = Deployed(own, amounts, settings(body), mode(fleet, service))
    return result


def _seat(service: Service, seat: Seat) -> Seat:
    """Return a seat without cards where the file names none: which one Docker picks there is no decision of a plan."""
    ask = service.gpu
    named = ask is None or ask.memory or ask.count or ask.profile or ask.device_ids
    return seat if named else replace(seat, gpus=())


WEIGHT = "cpu_shares"
"""What stands in a file for a request of CPU; a request that nobody wrote as a weight holds nothing."""
_DOCKERS_WEIGHT = 1024


def weight(body: Mapping[str, Any]) -> dict[str, int]:
    """Return the weight of a Compose mapping, nothing where it is Docker's own."""
    written = body.get(WEIGHT)
    return {WEIGHT: int(written)} if written and int(written) != _DOCKERS_WEIGHT else {}


def mode(fleet: Fleet, service: Service) -> str:
    """Return how a service runs: always, or on demand."""
    pool = fleet.pools.get(service.pool)
    return "on-demand" if pool and pool.scaling == "on-demand" else "always"


def resources(service: Service) -> dict[str, int]:
    """Return the requests and limits of a service, flat."""
    flat = {f"limits.{key}": amount.amount for key, amount in service.limits.items()}
    flat.update({f"requests.{key}": amount.amount for key, amount in service.requests.items()})
    return dict(sorted(flat.items()))


_UNSET = (
    "cpu_shares",
    "mem_limit",
    "mem_reservation",
    "memswap_limit",
    "cpus",
    "pids_limit",
    "scale",
    "profiles",
)
"""Keys that a live resize or a change of scale sets, and those that say nothing about a container."""


def settings(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a Compose mapping without what a live resize or a change of scale sets, flat by dotted key."""
    # Keys that start with x- are somebody's notes: Compose makes nothing of them.
    said = {key: value for key, value in body.items() if key not in _UNSET and not key.startswith("x-")}
    rest = copy.deepcopy(said)
    deploy = rest.pop("deploy", None) or {}
    deploy.pop("replicas", None)
    asked = deploy.pop("resources", None) or {}
    for half in ("limits", "reservations"):
        left = {key: value for key, value in (asked.pop(half, None) or {}).items() if key not in _LIVE}
        asked.update({half: left} if left else {})
    deploy.update({"resources": asked} if asked else {})
    return dict(sorted(_flat({**rest, **({"deploy": deploy} if deploy else {})}).items()))


_LIVE = ("cpus", "memory", "pids")


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    if isinstance(value, Mapping) and value:
        flat: dict[str, Any] = {}
        for key, child in value.items():
            flat.update(_flat(child, f"{path}.{key}" if path else str(key)))
        return flat
    if not path:
        return {}
    return {path: _NULL if value is None or value == {} else value}


_NULL = "~"
"""A key without a value (`networks: {web: }`, `{web: {}}`) says something; None stands for nothing said."""
