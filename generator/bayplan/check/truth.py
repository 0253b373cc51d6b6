"""What is true of a subject at a moment, and the sum behind it: what a claim is compared with."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from bayplan.check.measure import COUNT, RATIO, Truth
from bayplan.check.moment import cards, copies, stated, there
from bayplan.model import units
from bayplan.model.quantity import GPU_MEMORY, MEMORY, Origin
from bayplan.policy.values import whole_number, word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bayplan.check.moment import Moment
    from bayplan.check.subject import Claim, Subject
    from bayplan.model.service import Service

RESERVE = "reserve"
"""The kind of number beside those of charges: what a node keeps back."""
GPUS, HEADROOM = "gpus", "headroom"
_COUNTED = ("services", "copies", GPUS)
_OF_CARDS = (MEMORY, GPU_MEMORY)
_MANY = 8
"""How many parts a sum may have that is written out."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A subject at a moment, and how many copies are counted there.

    Attributes:
        subject, moment: whom, and when.
        each: copies that are counted of each service at most; 0 for all.
        scale: `min` or `max` for the ends of the ranges that services scale in.
    """

    subject: Subject
    moment: Moment
    each: int = 0
    scale: str = ""

    @classmethod
    def of(cls, claim: Claim, subject: Subject, moment: Moment) -> Scene:
        """Return the scene of a claim."""
        each, scale = whole_number(claim.node.get("each"), 0), word(claim.node.get("scale"))
        if subject.card or (each and subject.nodes):
            return cls(subject, moment.fewer(subject.nodes, each, subject.card), each, scale)
        return cls(subject, moment, each, scale)

    def copies(self, service: Service) -> int:
        """Return how many copies of a service are counted: on its nodes, if it speaks of nodes."""
        if not self.subject.nodes or self.scale:
            return copies(service, self.each, self.scale)
        return sum(self.moment.copies_on[node].get(service.name, 0) for node in self.subject.nodes)

    def row(self, resource: str) -> str:
        """Return the row of the ledger that says a resource; the memory of a card is its VRAM."""
        card = self.subject.card
        return f"{GPU_MEMORY}/{card}" if card and resource in _OF_CARDS else resource

    def reserved(self, node: str, resource: str) -> int:
        """Return what a node keeps back of a resource; of VRAM, on the card that is spoken of."""
        if self.row(resource) == resource:
            return self.moment.fleet.nodes[node].reserved(resource)
        return sum(row.reserve for row in self.moment.rows[node] if row.resource == self.row(resource))

    def capacity(self, resource: str) -> int:
        """Return what there is of a resource: of the nodes or the card, or of all nodes where it speaks of services."""
        if not self.subject.nodes:
            return self.moment.capacity(resource)
        return sum(_capacity(self, node, resource) for node in self.subject.nodes)

    def kinds(self, resource: str) -> dict[str, int]:
        """Return kind of statement → how much of the bar it makes up, in order; `reserve` among them."""
        nodes, moment = self.subject.nodes, self.moment
        if nodes:
            parts = moment.parts(nodes, self.row(resource))
        else:
            parts = moment.kinds(self.subject.services, resource, each=self.each, scale=self.scale)
        found = {origin.value: parts.of(origin) for origin in Origin}
        return {**found, RESERVE: sum(self.reserved(node, resource) for node in nodes)}

    def sources(self, resource: str) -> Mapping[str, int]:
        """Return kind of statement → how many services are charged by it."""
        if self.subject.nodes:
            found = self.moment.sources(self.subject.nodes, self.row(resource))
            return {kind.value: many for kind, many in found.items()}
        counted = (service for service in self.subject.services if self.copies(service))
        origins = (self.moment.origin(service, resource) for service in counted)
        return dict(Counter(origin.value for origin in origins if origin))


@dataclass(frozen=True, slots=True)
class Unsaid:
    """Why nothing can be true of a key of a claim, and whom to say it of."""

    why: str
    remedy: str


def truth_of(scene: Scene, key: str) -> Truth | Unsaid:
    """Return what is true of a key of a claim, or why nothing can be."""
    half, dot, rest = key.partition(".")
    if scene.subject.card and not dot and key not in (*_COUNTED, *_OF_CARDS):
        return Unsaid(f"a card has no {key}", "say it of its node")
    if key == "services":
        return _whole(len(scene.subject.services))
    summed = dot or key in _COUNTED
    if scene.scale and scene.subject.nodes and not (scene.subject.words == "fleet" and summed):
        return Unsaid(f"where the copies at {scene.scale} would stand is not decided", "say it of services")
    if key == "copies":
        return _counted([(1, scene.copies(service)) for service in scene.subject.services])
    if key == GPUS:
        return _counted([(scene.copies(service), cards(service)) for service in scene.subject.services])
    if dot and half in ("capacity", RESERVE):
        return _there(scene, half, rest)
    if dot and half in ("requests", "limits"):
        return _stated(scene, half, rest)
    return bar(scene, key)


def kind_of(key: str) -> str:
    """Return in what a key of a claim is counted: a resource, COUNT or RATIO."""
    half, dot, rest = key.partition(".")
    if key in _COUNTED or rest == GPUS:
        return COUNT
    if dot and half == HEADROOM:
        return RATIO
    return _resource(rest) if dot else key


def bar(scene: Scene, resource: str) -> Truth:
    """Return what a bare resource is: charges and reserve, the sum taken apart by where its parts come from."""
    subject, moment = scene.subject, scene.moment
    whole, services = scene.capacity(resource), sum(scene.sources(resource).values())
    if not subject.nodes:
        amount = moment.charged(subject.services, resource, each=scene.each, scale=scene.scale)
        return Truth(amount, units.show(resource, amount), whole, services)
    kinds, row = scene.kinds(resource), scene.row(resource)
    amount = moment.bar(subject.nodes, row)
    parts = [f"{units.show(resource, part)} {kind}" for kind, part in kinds.items() if part]
    pooled = moment.pooled(subject.nodes, row)
    less = f" - {units.show(resource, pooled)} of on-demand pools" if pooled else ""
    sums = f"{' + '.join(parts)}{less} = {units.show(resource, amount)}" if parts else units.show(resource, amount)
    return Truth(amount, sums, whole, services)


def _whole(amount: int, words: str = "") -> Truth:
    return Truth(amount, words or str(amount), services=amount)


def _counted(pairs: list[tuple[int, int]]) -> Truth:
    """Return a sum of products: of how many copies, times what each of them has."""
    return _whole(sum(many * one for many, one in pairs), _times([pair for pair in pairs if all(pair)], str))


def _stated(scene: Scene, half: str, resource: str) -> Truth:
    amounts = [(scene.copies(service), stated(service, half, resource)) for service in scene.subject.services]
    known = [pair for pair in amounts if all(pair)]
    words = _times(known, lambda amount: units.show(resource, amount))
    return Truth(sum(many * one for many, one in known), words, scene.capacity(resource), len(known))


def _there(scene: Scene, what: str, rest: str) -> Truth | Unsaid:
    nodes, resource = scene.subject.nodes, _resource(rest)
    if not nodes:
        return Unsaid(f"only nodes have a {what}", "say it of a node, or of the fleet")
    if rest == GPUS:
        return _sum([len(scene.moment.fleet.nodes[node].gpus) for node in nodes], COUNT)
    if what == "capacity":
        return _sum([_capacity(scene, node, resource) for node in nodes], resource)
    kept = [scene.reserved(node, resource) for node in nodes]
    return _sum(kept, resource, scene.capacity(resource))


def _sum(amounts: list[int], kind: str, whole: int = 0) -> Truth:
    counted = Counter(amount for amount in amounts if amount)
    words = _times([(many, amount) for amount, many in sorted(counted.items(), reverse=True)], _shower(kind))
    return Truth(sum(amounts), words, whole)


def _capacity(scene: Scene, node: str, resource: str) -> int:
    machine, card = scene.moment.fleet.nodes[node], scene.subject.card
    if card and resource in _OF_CARDS:
        return sum(one.memory for one in machine.gpus if str(one.index) == card)
    return there(machine, resource)


def _resource(rest: str) -> str:
    return rest.replace("disk.", "disk:", 1) if rest.startswith("disk.") else rest


def ratios(services: Iterable[Service], resource: str) -> list[tuple[Service, Fraction]]:
    """Return limit ÷ request of those that state a limit; who states no request requests its limit."""
    found = []
    for service in services:
        limit, request = stated(service, "limits", resource), stated(service, "requests", resource)
        if limit and request:
            found.append((service, Fraction(limit, request)))
    return found


def _times(pairs: list[tuple[int, int]], show: Callable[[int], str]) -> str:
    """Write a sum of products out: `2 x 0.5 + 0.1 = 1.1`; a long one only as what it comes to."""
    total = show(sum(many * one for many, one in pairs))
    if len(pairs) > _MANY or (len(pairs) <= 1 and all(many == 1 for many, _ in pairs)):
        return total
    terms = " + ".join(show(one) if many == 1 else f"{many} x {show(one)}" for many, one in pairs)
    return f"{terms} = {total}"


def _shower(kind: str) -> Callable[[int], str]:
    return str if kind == COUNT else lambda amount: units.show(kind, amount)
