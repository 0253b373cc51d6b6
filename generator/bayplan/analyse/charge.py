"""What one copy of a service is charged.

    charge = max(request, limit ÷ overcommit)

A missing request equals the limit; memory is charged at its limit unless its tier overcommits; CPU is charged at its
request unless its tier says how far CPU limits may be overcommitted. An estimate counts only where the service itself
says nothing. What has neither is unbounded: None, a risk that is listed and never read as zero.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from bayplan.model.quantity import CPUS, GPU_MEMORY, MEMORY, Quantity

if TYPE_CHECKING:
    from bayplan.model.fleet import Fleet, Node
    from bayplan.model.service import Service


def charge_on(fleet: Fleet, service: Service, node: Node, resource: str) -> Quantity | None:
    """Return what one copy is charged on a node: cores of one's own are whole physical ones."""
    amount = charge(fleet, service, resource)
    cores = service.cores if service.cores != "shared" else fleet.tier_of(service).cores
    if amount is None or resource != CPUS or cores != "exclusive":
        return amount
    whole = 1000 * max(1, node.threads_per_core)
    return replace(amount, amount=-(-amount.amount // whole) * whole)


def charge(fleet: Fleet, service: Service, resource: str) -> Quantity | None:
    """Return what one copy is charged in the unit of the resource, or None if it is unbounded there.

    VRAM (`gpu_memory`) is charged per card and has no limit beside the ask itself. A resource that a service never
    mentions and that is neither CPU nor memory is charged as zero.
    """
    if resource == GPU_MEMORY:
        return _vram(service)
    request = service.requests.get(resource)
    limit = _overcommitted(fleet, service, resource)
    if request is None:
        said = service.limits.get(resource) if limit is None else limit
    else:
        said = max(request, limit, key=lambda one: one.amount) if limit else request
    if said is not None:
        return said
    if resource in (CPUS, MEMORY):
        return service.estimates.get(resource)
    return Quantity(0)


def unbounded(fleet: Fleet, service: Service, resource: str) -> bool:
    """Whether nothing at all is known about what the service takes of a resource."""
    return charge(fleet, service, resource) is None


def _overcommitted(fleet: Fleet, service: Service, resource: str) -> Quantity | None:
    limit = service.limits.get(resource)
    default = Fraction(1) if resource == MEMORY else None
    factor = fleet.tier_of(service).overcommit.get(resource, default)
    if limit is None or factor is None or factor == 1:
        return limit if factor is not None else None
    return replace(limit, amount=-(-limit.amount * factor.denominator // factor.numerator))


def _vram(service: Service) -> Quantity:
    ask = service.gpu
    if ask is None:
        return Quantity(0)
    return Quantity(ask.memory, place=ask.place, source="gpu")
