"""One service as it is today: its deployed file if bayplan wrote one, else its sources, with the limits that hold.

What no Compose file can say (tier, pool, VRAM, countables) is taken from the policy.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bayplan.compose.service import to_service
from bayplan.model import units
from bayplan.model.quantity import CPUS, MEMORY, PIDS, SWAP, Origin, Quantity
from bayplan.policy.nodes import CORES, MOST_CORES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bayplan.finding import Place
    from bayplan.model.service import GpuAsk, Service
    from bayplan.policy.services import Written
    from bayplan.policy.sightings import Part, Sighting

_SHARES, _CPUSET, _PARENT = "cpu_shares", "cpuset", "cgroup_parent"
_DOCKERS_SHARES = 1024
"""What Docker gives whom nobody gave shares."""
_IN_FILES = frozenset({CPUS, MEMORY, PIDS, SWAP})


def as_written(written: Written) -> Service:
    """Return a service as its sources have it; its findings come with TO-BE, which is built from the same tree.

    Docker ignores a CPU reservation, so beside a CPU limit it promises nothing: the limit is what counts.
    """
    service = written.service
    if CPUS in service.limits and CPUS in service.requests:
        requests = {resource: amount for resource, amount in service.requests.items() if resource != CPUS}
        return replace(service, requests=requests)
    return service


def deployed(part: Part, source: Service | None, policy: Service | None) -> Service:
    """Return a service as the release of bayplan on a node has it.

    Args:
        part: what the release says of it.
        source: the service as its sources have it today, if any.
        policy: the service as the policy would have it, if it still has it.
    """
    service, _ = to_service(part.service.project, part.service.name, part.written)
    body = {key: value for key, value in service.body.items() if not key.startswith("x-")}
    service = replace(service, body=body, requests=_requests(service, body.get(_SHARES), source, policy))
    if policy is None:
        return service
    return replace(
        service,
        requests={**_unwritten(policy.requests), **service.requests},
        limits={**_unwritten(policy.limits), **service.limits},
        tier=policy.tier,
        qos=policy.qos,
        cores=policy.cores,
        gpu=_cards(service.gpu, policy.gpu),
    )


def _unwritten(amounts: Mapping[str, Quantity]) -> dict[str, Quantity]:
    return {resource: amount for resource, amount in amounts.items() if resource not in _IN_FILES}


def _cards(written: GpuAsk | None, policy: GpuAsk | None) -> GpuAsk | None:
    """Return what is asked of cards: those that the file names, and how much of them the policy promised."""
    if written is None or policy is None or not written.device_ids:
        return written
    promised = policy.memory or policy.count or policy.profile
    return replace(policy, device_ids=written.device_ids) if promised else written


def _requests(service: Service, shares: Any, source: Service | None, policy: Service | None) -> dict[str, Quantity]:
    """Return the requests of a deployed service; CPU stands there as a weight."""
    requests = {resource: amount for resource, amount in service.requests.items() if resource != CPUS}
    request = policy.requests.get(CPUS) if policy else None
    meant = units.cpu_shares(request.amount) if request else None
    own = source.body.get(_SHARES) if source else None
    if shares is not None and (shares == meant or (shares == own and _is_default(request))):
        # The weight of the policy's request, or one that the sources have beside a default that gives way to it.
        return {**requests, **({CPUS: request} if request else {})}
    if shares is not None:
        requests[CPUS] = Quantity(units.requested(int(shares)), Origin.DECLARED, service.place, "compose")
    return requests


def _is_default(request: Quantity | None) -> bool:
    return request is None or request.origin is Origin.INHERITED


def held(
    service: Service,
    copies: Sequence[tuple[Service, Sighting]],
    places: Mapping[str, Place],
    cores: Mapping[str, int],
) -> Service:
    """Return a service with the limits that its containers were given.

    Where copies differ, the first that is not as its file says speaks for all: it is the one to be set right.

    Args:
        service: as its first file has it.
        copies: its containers, each with the service as its own file has it.
        places: node → its observed facts.
        cores: node → how many there are.
    """
    for own, one in copies:
        if _sized(own, one, places[one.node], cores[one.node]) is not own:
            return _sized(service, one, places[one.node], cores[one.node])
    return service


def _sized(service: Service, one: Sighting, place: Place, cores: int) -> Service:
    """Return the service as one container of it has its limits; the very same one if that is what its file says."""
    limits = one.seen.limits
    if limits is None:
        return service
    found = {resource: _limit(service, limits, resource, place) for resource in (CPUS, MEMORY, PIDS)}
    found[SWAP] = _swap(service, limits, place)
    new_limits = _with(service.limits, found)
    reservation = _seen(service.requests.get(MEMORY), limits.get("reservation"), place)
    new_requests = _with(service.requests, {MEMORY: reservation, **_weight(service, one, limits, place)})
    body = _body(service.body, limits, cores)
    if (new_limits, new_requests, body) == (service.limits, service.requests, service.body):
        return service
    return replace(service, limits=new_limits, requests=new_requests, body=body)


def _limit(service: Service, limits: Mapping[str, Any], resource: str, place: Place) -> Quantity | None:
    return _seen(service.limits.get(resource), limits.get(resource), place)


def _seen(said: Quantity | None, amount: int | None, place: Place) -> Quantity | None:
    """Return what was seen; as the file said it if that is the same."""
    if not amount:
        return None
    return said if said and said.amount == amount else Quantity(amount, Origin.MEASURED, place, "observed")


def _swap(service: Service, limits: Mapping[str, Any], place: Place) -> Quantity | None:
    """Return the swap beside the memory. Nothing seen is Docker's own rule: as much again as there is memory."""
    memory, swap, said = limits.get(MEMORY), limits.get(SWAP), service.limits.get(SWAP)
    if not memory or swap == -1 or (swap is None and said is None):
        return None
    amount = memory if swap is None else swap
    return said if said and said.amount == amount else Quantity(amount, Origin.MEASURED, place, "observed")


def _weight(service: Service, one: Sighting, limits: Mapping[str, Any], place: Place) -> dict[str, Quantity | None]:
    """Return the CPU request that a weight stands for, where bayplan has written weights and it is another one."""
    if one.part is None:
        return {}
    written, seen = service.body.get(_SHARES), limits.get("shares")
    if (written or _DOCKERS_SHARES) == (seen or _DOCKERS_SHARES):
        return {}
    request = Quantity(units.requested(seen), Origin.MEASURED, place, "observed") if seen else None
    return {CPUS: request}


def _with(amounts: Mapping[str, Quantity], found: Mapping[str, Quantity | None]) -> dict[str, Quantity]:
    merged = {**amounts, **found}
    return {resource: amount for resource, amount in sorted(merged.items()) if amount is not None}


def _body(body: Mapping[str, Any], limits: Mapping[str, Any], cores: int) -> dict[str, Any]:
    """Return the mapping with the cores, the weight and the slice that were seen."""
    seen = {_CPUSET: str(limits.get(_CPUSET) or ""), _SHARES: limits.get("shares"), _PARENT: limits.get(_PARENT)}
    every = frozenset(range(cores))
    same = {
        _CPUSET: _cores(body.get(_CPUSET), every) == _cores(seen[_CPUSET], every),
        _SHARES: (body.get(_SHARES) or _DOCKERS_SHARES) == (seen[_SHARES] or _DOCKERS_SHARES),
        _PARENT: (body.get(_PARENT) or "") == (seen[_PARENT] or ""),
    }
    rest = {key: value for key, value in body.items() if same.get(key, True)}
    return rest | {key: value for key, value in seen.items() if value and not same[key]}


def _cores(text: Any, every: frozenset[int]) -> frozenset[int]:
    """Return the cores that a list names; all cores are the same as none named."""
    return cores_of(str(text or "")) or every


def cores_of(text: str) -> frozenset[int]:
    """Return the cores of a list such as `0-3,8`; none if it cannot be read."""
    found: set[int] = set()
    for part in text.replace(" ", "").split(",", MOST_CORES):
        if cores := CORES.fullmatch(part):
            found.update(range(int(cores[1]), min(int(cores[2] or cores[1]) + 1, MOST_CORES)))
    return frozenset(found)
