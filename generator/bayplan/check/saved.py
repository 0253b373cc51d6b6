"""What becomes free: on nodes and by services, from one moment to a later one; and the parts that a total names."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from bayplan.check.measure import Truth, claimed
from bayplan.check.moment import AS_IS, TO_BE
from bayplan.check.subject import subject_of
from bayplan.check.truth import Scene, bar
from bayplan.finding import Finding
from bayplan.model import units
from bayplan.model.quantity import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bayplan.check.case import Case
    from bayplan.check.moment import Moment
    from bayplan.check.subject import Claim
    from bayplan.model.fleet import Fleet
    from bayplan.model.names import Name
    from bayplan.model.service import Service
    from bayplan.source import Node


@dataclass(frozen=True, slots=True)
class Way:
    """A claim's stretch of the way: two scenes of one subject, before and after.

    A claim of a stage speaks of what the stage frees; one of the end, of all that became free since today.
    """

    before: Scene
    after: Scene

    def saved(self, resource: str) -> tuple[Truth, ...]:
        """Return how much of a resource becomes free; two readings of it where services move.

        Of a service that moves away one may say that its node is rid of all of it, or count what it takes less.
        """
        old, new = bar(self.before, resource), bar(self.after, resource)
        less = _less(resource, old.amount, new.amount)
        if self.before.subject.nodes:
            return (less,)
        return (_relief(self, resource), less)

    def kinds(self, resource: str) -> dict[str, int]:
        """Return kind of statement → what becomes free of amounts that were said in that way before."""
        found = {origin.value: 0 for origin in Origin}
        for then, now, many, later in self._pairs():
            kind = (then and self.before.moment.origin(then, resource)) or (
                now and self.after.moment.origin(now, resource)
            )
            if kind:
                amount = self._amount(self.before.moment, then, resource, many)
                left = self._amount(self.after.moment, now, resource, later)
                found[kind.value] += amount - left
        return found

    def givers(self, resource: str) -> tuple[Service, ...]:
        """Return the services, as they were, that take less than before."""
        return tuple(
            then
            for then, now, many, later in self._pairs()
            if then
            and self._amount(self.before.moment, then, resource, many)
            > self._amount(self.after.moment, now, resource, later)
        )

    def _amount(self, moment: Moment, service: Service | None, resource: str, many: int) -> int:
        return many * moment.charged([service], resource, each=1) if service else 0

    def _pairs(self) -> Iterator[tuple[Service | None, Service | None, int, int]]:
        """Yield each service before and after, with how many of its copies are counted."""
        then = {service.name: service for service in self.before.subject.services}
        now = {service.name: service for service in self.after.subject.services}
        for name in sorted({*then, *now}):
            old, new = then.get(name), now.get(name)
            yield old, new, self.before.copies(old) if old else 0, self.after.copies(new) if new else 0


def way_to(claim: Claim, moments: Mapping[str, Moment], policy: Fleet) -> Way | Finding:
    """Return the stretch of the way that a claim speaks of."""
    names = list(moments)
    start = AS_IS if claim.at == TO_BE else names[max(0, names.index(claim.at) - 1)]
    scenes = []
    for name in (start, claim.at):
        subject = subject_of(claim, moments[name], policy)
        if isinstance(subject, Finding):
            return subject
        scenes.append(Scene.of(claim, subject, moments[name]))
    return Way(*scenes)


def _less(resource: str, old: Fraction | int, new: Fraction | int) -> Truth:
    amounts = [units.show(resource, int(amount)) for amount in (old, new, old - new)]
    return Truth(old - new, f"{amounts[0]} - {amounts[1]} = {amounts[2]}", int(old))


def _relief(way: Way, resource: str) -> Truth:
    """Return what the nodes on which services stood get back of them."""
    before, after = way.before.moment, way.after.moment
    later = {service.name: service for service in way.after.subject.services}
    old = new = 0
    for service in way.before.subject.services:
        for node in before.nodes_of.get(service.name, ()):
            old += before.charged_on(node, service, resource)
            if service.name in later:
                new += after.charged_on(node, later[service.name], resource)
    return _less(resource, old, new)


@dataclass(frozen=True, slots=True)
class Part:
    """What is named under a total: a saving of services, or that of a stage.

    Attributes:
        title: whose it is.
        amount: what is claimed, in the unit of the resource.
        there: whether some of the services stand on the nodes of the total.
        elsewhere: the nodes on which the services stand, if none of them is the total's.
    """

    title: str
    amount: Fraction
    there: bool = True
    elsewhere: tuple[str, ...] = ()


def parts_under(case: Case, resource: str) -> tuple[Part, ...]:
    """Return the parts that are claimed under a total of a node or of the fleet.

    Under the saving of a stage stand those of its services; under that of the end, those of the stages: what is claimed
    of the same nodes there, or else what is claimed of services.
    """
    if case.claim.at != TO_BE:
        return tuple(services_at(case, case.claim.at, resource))
    found: list[Part] = []
    for stage in (name for name in case.moments if name not in (AS_IS, TO_BE)):
        same = [one for one in case.claims if one.at == stage and one.of == case.claim.of]
        said = [amount for one in same if (amount := _amount(one, resource)) is not None]
        parts = [Part(stage, said[0])] if said else services_at(case, stage, resource)
        there = [part.amount for part in parts if not part.elsewhere]
        if there:
            found.append(Part(stage, sum(there, start=Fraction(0))))
    return tuple(found) or tuple(services_at(case, TO_BE, resource))


def services_at(case: Case, at: str, resource: str) -> list[Part]:
    """Return what is claimed at a moment to be saved by services, beside a claim about nodes.

    Who is spoken of twice, alone and among others, is counted once: as the narrower claim says it.
    """
    names = list(case.moments)
    start = case.moments[AS_IS if at == TO_BE else names[max(0, names.index(at) - 1)]]
    whole = subject_of(case.claim, start, case.policy)
    said: list[tuple[Claim, Fraction, frozenset[Name]]] = []
    for one in case.claims:
        amount = _amount(one, resource) if one.at == at and one.node.get("saves") and not one.of_machines else None
        who = subject_of(one, start, case.policy) if amount is not None else None
        if amount is not None and who is not None and not isinstance(who, Finding):
            said.append((one, amount, frozenset(service.name for service in who.services)))
    if isinstance(whole, Finding):
        return []
    found: list[Part] = []
    for one, amount, services in _apart(said):
        nodes = {node for name in services for node in start.nodes_of.get(name, ())}
        there = bool(nodes & set(whole.nodes))
        found.append(Part(one.of.removeprefix("service/"), amount, there, () if there else tuple(sorted(nodes))))
    return found


def _apart(said: list[tuple[Claim, Fraction, frozenset[Name]]]) -> list[tuple[Claim, Fraction, frozenset[Name]]]:
    """Return the claims of which none speaks of a service of another, in their order; narrow ones go first."""
    counted: set[Name] = set()
    left = []
    for place in sorted(range(len(said)), key=lambda place: len(said[place][2])):
        if counted.isdisjoint(said[place][2]):
            counted |= said[place][2]
            left.append(place)
    return [said[place] for place in sorted(left)]


def _amount(claim: Claim, resource: str) -> Fraction | None:
    """Return the saving that a claim names as one amount, or as the sum of its kinds; else None."""
    saves = claim.node.get("saves")
    node = saves.get(resource) if saves is not None else None
    if node is None or not node.is_map:
        return None if node is None else _number(node, resource)
    kinds = [_number(one, resource) for key, one in node.items() if key in tuple(Origin)]
    known = [amount for amount in kinds if amount is not None]
    return sum(known, start=Fraction(0)) if known and len(known) == len(kinds) else None


def _number(node: Node, resource: str) -> Fraction | None:
    try:
        said = claimed(node, resource)
    except units.UnitError:
        return None
    return said.number() if said.is_number and not said.is_share else None
