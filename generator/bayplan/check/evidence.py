"""What claims rest on: numbers that somebody declared, and numbers that were guessed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bayplan.check.measure import Claimed, Truth, services
from bayplan.check.truth import kind_of
from bayplan.finding import note
from bayplan.model import units
from bayplan.model.quantity import Origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bayplan.check.case import Case
    from bayplan.check.saved import Way
    from bayplan.finding import Finding
    from bayplan.model.service import Service
    from bayplan.source import Node

_NAMED = 5


def estimated(case: Case, key: str, node: Node, said: Claimed) -> Iterator[Finding]:
    """Yield a note for a number of charges that is right only as long as the estimates in it are."""
    scene = case.scene
    guessed = scene.kinds(key)[Origin.ESTIMATED.value] if kind_of(key) == key else 0
    if not guessed or not said.is_number or said.is_share:
        return
    kinds = {kind: amount for kind, amount in scene.kinds(key).items() if amount}
    sources = scene.sources(key)
    parts = [f"{units.show(key, amount)} {kind}{_of(sources.get(kind, 0))}" for kind, amount in kinds.items()]
    said_so = (
        "is all estimated" if set(kinds) <= {Origin.ESTIMATED.value, Origin.REPLICAS.value} else "is partly estimated"
    )
    message = f"claims {key} {node.string}, which {said_so}: nobody declared {units.show(key, guessed)} of it"
    write = _map(said, kinds)
    remedy = "say which part is guessed"
    yield note(
        "evidence/estimated", node.place, case.claim.of, message, remedy, arithmetic=" + ".join(parts), write=write
    )


def first_limit(case: Case, resource: str, node: Node, way: Way, said: Claimed) -> Iterator[Finding]:
    """Yield a note for a saving by limits where there were none: nothing that anybody declared becomes free."""
    nodes = way.before.subject.nodes
    guessed = _first(way, resource) if nodes else undeclared(way.givers(resource), resource)
    if not guessed or not said.is_number or not said.first.number:
        return
    saved = {kind: amount for kind, amount in way.kinds(resource).items() if amount}
    names = ", ".join(guessed[:_NAMED])
    message = f"claims to save {node.string}, but {names} declared no {resource}: a first limit cuts nothing"
    parts = " + ".join(f"{units.show(resource, amount)} {kind}" for kind, amount in saved.items())
    yield note("evidence/first-limit", node.place, case.claim.of, message, "say that it is saved of an estimate",
               arithmetic=parts, write=_map(said, saved) if saved and min(saved.values()) > 0 else "")  # fmt: skip


def _first(way: Way, resource: str) -> list[str]:
    """Return the services of some nodes that got their first limit or request there, and are charged less by it."""
    later = {service.name: service for service in way.after.subject.services}
    before, after = way.before.moment, way.after.moment
    found = []
    for service in way.before.subject.services:
        now = later.get(service.name)
        if now is None or resource in service.limits or resource in service.requests:
            continue
        if (resource in now.limits or resource in now.requests) and (
            after.charged([now], resource, each=1) < before.charged([service], resource, each=1)
        ):
            found.append(service.name.name)
    return found


def undeclared(services: Iterable[Service], resource: str) -> list[str]:
    """Return the services that state neither limit nor request of a resource."""
    return [
        service.name.name for service in services if resource not in service.limits and resource not in service.requests
    ]


def _map(said: Claimed, kinds: Mapping[str, int]) -> str:
    """Return amounts by kind, for YAML, in the unit of what was said."""
    plain = replace(said, services=None)
    return "{" + ", ".join(f"{kind}: {plain.right(Truth(amount))}" for kind, amount in kinds.items()) + "}"


def _of(many: int) -> str:
    return f" ({services(many)})" if many else ""
