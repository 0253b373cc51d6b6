"""Requests and limits of one service: what its Compose file says, filled and overridden by the policy."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from bayplan.finding import error
from bayplan.model import units
from bayplan.model.quantity import CPUS, GPU_MEMORY, MEMORY, SWAP, Origin, Quantity
from bayplan.policy.values import Findings, quantity

if TYPE_CHECKING:
    from collections.abc import Mapping

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


def guaranteed(
    findings: Findings, service: Service, halves: dict[str, dict[str, Quantity]], qos: str
) -> dict[str, dict[str, Quantity]]:
    """Make the missing half equal where `qos: guaranteed` is said; both stated and different is an error.

    A CPU limit is never made up: on Docker it only throttles, a guarantee comes from shares or from cores of its own.
    """
    requests, limits = dict(halves["requests"]), dict(halves["limits"])
    _request_within_limit(findings, service, requests, limits)
    if qos == "guaranteed":
        limit, request = limits.get(CPUS), requests.get(CPUS)
        if limit and (request is None or request.origin is Origin.INHERITED):
            requests[CPUS] = replace(limit, source="qos guaranteed", why="", was=request)
        request, limit = requests.get(MEMORY), limits.get(MEMORY)
        if request and limit and request.amount != limit.amount and request.place != limit.place:
            # A request that the Compose file reserved is raised to the limit: that is what being guaranteed means.
            if request.source == "compose":
                requests[MEMORY] = replace(limit, source="qos guaranteed", why="", was=request)
            else:
                message = f"is guaranteed, but requests {units.show_bytes(request.amount)} and is limited to " + (
                    units.show_bytes(limit.amount)
                )
                write = _written(MEMORY, limit)
                findings.append(
                    error("qos/not-guaranteed", request.place, str(service.name), message, "make both equal",
                          also=(limit.place,), write=write)
                )  # fmt: skip
        elif request and not limit:
            limits[MEMORY] = request
        elif limit and not request:
            requests[MEMORY] = replace(limit, source="qos guaranteed", why="", was=None)
    return {"requests": requests, "limits": limits}


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
                also=(limit.place,),
                write=write,
            )
        )


def _written(resource: str, amount: Quantity) -> str:
    """Return an amount as the policy has it, before an environment multiplied it."""
    before = amount.was if amount.source.startswith(_MULTIPLIED) and amount.was else amount
    return units.in_policy(resource, before.amount)
