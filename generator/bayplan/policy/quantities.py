"""Requests and limits of one service: what its Compose file says, filled and overridden by the policy."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from bayplan.finding import Finding, error
from bayplan.model import units
from bayplan.model.quantity import CPUS, GPU_MEMORY, MEMORY, SWAP, Origin, Quantity
from bayplan.policy.values import Findings, quantity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bayplan.finding import Place
    from bayplan.model.service import Service
    from bayplan.policy.layers import Leaf, Stack

HALVES = ("requests", "limits")
_CPU_LIMIT_STEP = 10
"""Docker's smallest step of a CPU limit, in thousandths: it takes two decimals."""


_MULTIPLIED = "environment "
"""How the source of an amount begins that an environment multiplied."""


@dataclass(frozen=True, slots=True)
class Factors:
    """What an environment multiplies: resource → factor, and the environment's name for the reason."""

    environment: str = ""
    of: Mapping[str, Fraction] = field(default_factory=dict)

    def apply(self, resource: str, amount: Quantity, *, limit: bool = False) -> Quantity:
        """Return a quantity times its factor, rounded up: memory to 1 MiB, CPU to 1m (a limit to 10m)."""
        factor = self.of.get(resource, Fraction(1))
        if factor == 1:
            return amount
        step = {MEMORY: units.MIB, SWAP: units.MIB, GPU_MEMORY: units.MIB}.get(resource, 1)
        if resource == CPUS and limit:
            step = _CPU_LIMIT_STEP
        exact = factor * amount.amount / step
        rounded = min(-(-exact.numerator // exact.denominator) * step, _most(resource))
        source = f"{_MULTIPLIED}{self.environment} x {float(factor):g}"
        return replace(amount, amount=rounded, source=source, was=amount)


def _most(resource: str) -> int:
    """Return the largest amount that can be said: what is multiplied beyond it stands nowhere anyway."""
    memories = (MEMORY, SWAP, GPU_MEMORY)
    return units.MOST_CPUS if resource == CPUS else units.MOST_MEMORY if resource in memories else units.MOST_PIECES


def quantities(
    findings: Findings, service: Service, fill: Stack, over: Stack, factors: Factors
) -> dict[str, dict[str, Quantity]]:
    """Return `requests` and `limits` of a service: filled, overridden, multiplied.

    Returns:
        half → resource → quantity for one copy; each quantity remembers what it replaced.
    """
    result: dict[str, dict[str, Quantity]] = {}
    for half in HALVES:
        written: Mapping[str, Quantity] = getattr(service, half)
        filled = _read(findings, service, half, fill, Origin.INHERITED)
        said = _read(findings, service, half, over, Origin.DECLARED)
        amounts = {resource: found for resource, found in filled.items() if found is not None}
        amounts.update(written)
        if () in over.under(half):
            amounts = {}
        for resource, found in said.items():
            if found is None:
                amounts.pop(resource, None)
            else:
                amounts[resource] = found.over(amounts.get(resource))
        limit = half == "limits"
        result[half] = {
            resource: factors.apply(resource, found, limit=limit) for resource, found in sorted(amounts.items())
        }
    return result


def _read(findings: Findings, service: Service, half: str, found: Stack, origin: Origin) -> dict[str, Quantity | None]:
    """Return the quantities of one half; None where the policy takes a lower layer's word back."""
    amounts: dict[str, Quantity | None] = {}
    for path, leaf in found.under(half).items():
        if len(path) != 1:
            continue
        if leaf.node.value is None:
            amounts[path[0]] = None
            continue
        amount = _quantity(findings, service, half, path[0], leaf, origin)
        if amount:
            amounts[path[0]] = amount
    return amounts


def _quantity(
    findings: Findings, service: Service, half: str, resource: str, leaf: Leaf, origin: Origin
) -> Quantity | None:
    subject = f"services.{service.name}.{half}"
    return quantity(findings, subject, resource, leaf.node, origin=origin, source=leaf.layer, why=leaf.why)


@dataclass(frozen=True, slots=True)
class Called:
    """The class that a service is called, where that is said, and in which environment, if the policy has any."""

    qos: str
    place: Place
    environment: str = ""


def guaranteed(
    findings: Findings, service: Service, halves: dict[str, dict[str, Quantity]], called: Called
) -> dict[str, dict[str, Quantity]]:
    """Make the missing half equal where `qos: guaranteed` is said; both stated and different is an error.

    A CPU limit is never made up: on Docker it only throttles, a guarantee comes from shares or from cores of its own.

    Args:
        findings: what is wrong is added to them.
        service: whose.
        halves: `requests` and `limits`, resource → quantity.
        called: the class that it is called.
    """
    requests, limits = dict(halves["requests"]), dict(halves["limits"])
    _request_within_limit(findings, service, requests, limits)
    differing: dict[str, tuple[Quantity, Quantity]] = {}
    if called.qos == "guaranteed":
        for resource in (CPUS, MEMORY):
            request, limit = requests.get(resource), limits.get(resource)
            if limit and (request is None or _gives_way(resource, request, limit)):
                requests[resource] = replace(limit, source="qos guaranteed", why="", was=request)
            elif resource == CPUS and request and said(request).source == "compose":
                continue  # Compose ignores it; `qos/another-class` says where a file differs
            elif request and limit and request.amount != limit.amount and request.place != limit.place:
                differing[resource] = request, limit
        if MEMORY in requests and MEMORY not in limits:
            limits[MEMORY] = requests[MEMORY]
    if differing:
        findings.append(_not_guaranteed(service, differing, called))
    return {"requests": requests, "limits": limits}


def _gives_way(resource: str, request: Quantity, limit: Quantity) -> bool:
    """Whether a request is raised to its limit: memory that a Compose file reserves, CPU that a default says."""
    if request.amount == limit.amount:
        return False
    return request.origin is Origin.INHERITED if resource == CPUS else said(request).source == "compose"


def _not_guaranteed(service: Service, differing: Mapping[str, tuple[Quantity, Quantity]], called: Called) -> Finding:
    less = {resource: units.show(resource, request.amount) for resource, (request, _) in differing.items()}
    most = {resource: units.show(resource, limit.amount) for resource, (_, limit) in differing.items()}
    (first, _), *more = differing.values()
    places = dict.fromkeys([one.place for pair in differing.values() for one in pair] + [called.place])
    asked = " and ".join(f"{amount} of {resource}" for resource, amount in less.items())
    return error(
        "qos/not-guaranteed",
        first.place,
        str(service.name),
        f"is guaranteed, but requests {asked} and is limited to {' and '.join(most.values())}",
        "make both equal",
        arithmetic=", ".join(f"{amount} < {most[resource]}" for resource, amount in less.items()),
        also=tuple(place for place in places if place != first.place),
        write="" if more else next(_written(resource, limit) for resource, (_, limit) in differing.items()),
        paste=_both_equal(service, differing, called.environment) if more else "",
    )


def _both_equal(service: Service, differing: Mapping[str, tuple[Quantity, Quantity]], environment: str) -> str:
    """Return the fragment that makes several requests equal to their limits, under the key that says them."""
    sources = {said(request).source for request, _ in differing.values()}
    key = sources.pop().removeprefix("services.") if len(sources) == 1 else ""
    known = key if key in (service.name.name, str(service.name)) else str(service.name)
    amounts = ", ".join(f"{resource}: {_written(resource, limit)}" for resource, (_, limit) in differing.items())
    entries = f"services: {{{known}: {{requests: {{{amounts}}}}}}}"
    return f"environments: {{{environment}: {{{entries}}}}}" if environment else entries


def _request_within_limit(
    findings: Findings, service: Service, requests: dict[str, Quantity], limits: Mapping[str, Quantity]
) -> None:
    for resource, request in tuple(requests.items()):
        limit = limits.get(resource)
        if limit is None or request.amount <= limit.amount:
            continue
        if request.origin is Origin.INHERITED or (request.source == "compose" and limit.source != "compose"):
            # A default, or a reservation that the policy's own cut undercuts, gives way to the limit.
            requests[resource] = replace(limit, source=f"within limits.{resource}", why="", was=request)
            continue
        amounts = f"{units.show(resource, request.amount)} of {resource}, more than its limit of "
        message = f"requests {amounts}{units.show(resource, limit.amount)}"
        remedy = f"raise limits.{resource} or lower requests.{resource}"
        write = _written(resource, limit)
        findings.append(
            error(
                "limits/below-request",
                request.place,
                str(service.name),
                message,
                remedy,
                arithmetic=f"{units.show(resource, request.amount)} > {units.show(resource, limit.amount)}",
                also=(limit.place,),
                write=write,
            )
        )


def said(amount: Quantity) -> Quantity:
    """Return an amount as somebody said it, before an environment multiplied it."""
    return amount.was if amount.source.startswith(_MULTIPLIED) and amount.was else amount


def _written(resource: str, amount: Quantity) -> str:
    """Return an amount as the policy has it."""
    return units.in_policy(resource, said(amount).amount)
