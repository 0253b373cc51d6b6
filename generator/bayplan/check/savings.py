"""Claimed savings: what really becomes free, which parts a total has, and targets that nothing serves."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from bayplan.check.case import arithmetic, but
from bayplan.check.evidence import first_limit, undeclared
from bayplan.check.measure import Claimed, Truth
from bayplan.check.moment import AS_IS, TO_BE
from bayplan.check.saved import Way, parts_under, services_at, way_to
from bayplan.check.subject import subject_of
from bayplan.check.truth import Scene, bar, kind_of
from bayplan.finding import Finding
from bayplan.model import units
from bayplan.model.quantity import MEMORY, Origin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.case import Case
    from bayplan.check.saved import Part
    from bayplan.source import Node

_LARGEST = 3


def savings(case: Case, node: Node) -> Iterator[Finding]:
    """Yield what is wrong with what a claim says to become free."""
    way = way_to(case.claim, case.moments, case.policy)
    if isinstance(way, Finding):
        # Nobody of that name is there at the beginning: then nothing can become free either.
        way = Way(Scene(case.scene.subject, case.before), case.scene)
    for resource, amount in node.items():
        if amount.is_map:
            yield from _kinds(case, way, resource, amount)
        elif resource != "why" and not resource.startswith("x-"):
            yield from _amount(case, way, resource, amount)


def _amount(case: Case, way: Way, resource: str, node: Node) -> Iterator[Finding]:
    readings = way.saved(resource)
    truth = max(readings, key=lambda one: Fraction(one.amount))
    said = case.read(node, resource, truth)
    if isinstance(said, Finding):
        yield said
        return
    if any(said.holds(one) for one in readings):
        yield from first_limit(case, resource, node, way, said)
        return
    if way.before.subject.nodes and not said.is_share:
        parts = parts_under(case, resource)
        here = [part for part in parts if not part.elsewhere]
        if here and not _sums_up(said, parts):
            yield _missing(case, resource, node, said, truth, parts)
            return
        if len(here) < len(parts) and _sums_up(said, parts):
            yield _elsewhere(case, resource, node, said, truth, parts)
            return
    guessed = [] if way.before.subject.nodes else undeclared(way.before.subject.services, resource)
    more = f" and {len(guessed) - _LARGEST} more" if len(guessed) > _LARGEST else ""
    why = f"; {', '.join(guessed[:_LARGEST])}{more} declared no {resource} to save of" if guessed else ""
    sums = arithmetic(resource, said, truth)
    yield case.wrong(node, f"saves.{resource} {node.string}", f"{but(said, truth)}{why}", sums, said.right(truth))


def _sums_up(said: Claimed, parts: tuple[Part, ...]) -> bool:
    return said.holds(Truth(sum(part.amount for part in parts)))


def _missing(case: Case, resource: str, node: Node, said: Claimed, truth: Truth, parts: tuple[Part, ...]) -> Finding:
    """Return the finding that a total is not what is claimed under it."""
    found = int(sum(part.amount for part in parts))
    gap = int(said.number()) - found
    total, come, left = (units.show(resource, amount) for amount in (found + gap, found, abs(gap)))
    which = f"{left} of it have no part" if gap > 0 else f"{left} more"
    sums = f"{_sum(resource, parts)}; {total} - {come} = {units.show(resource, gap)}; {truth.words}"
    message = f"the parts that are claimed of it come to {come}, {which}, and {but(said, truth)}"
    return case.wrong(node, f"saves.{resource} {node.string}", message, sums, said.right(truth), rule="savings/parts")


def _elsewhere(case: Case, resource: str, node: Node, said: Claimed, truth: Truth, parts: tuple[Part, ...]) -> Finding:
    """Return the finding that a total counts what does not stand there."""
    away = [part for part in parts if part.elsewhere]
    amount = units.show(resource, int(sum(part.amount for part in away)))
    names = ", ".join(f"{part.title} on {', '.join(part.elsewhere)}" for part in away)
    message = f"{amount} of it do not stand there ({names}): {but(said, truth)}"
    sums = f"{_sum(resource, tuple(part for part in parts if not part.elsewhere))}; {truth.words}"
    what = f"saves.{resource} {node.string}"
    return case.wrong(node, what, message, sums, said.right(truth), rule="savings/elsewhere")


def _sum(resource: str, parts: tuple[Part, ...]) -> str:
    places = [f" on {', '.join(part.elsewhere)}" if part.elsewhere else "" for part in parts]
    amounts = [units.show(resource, int(part.amount)) for part in parts]
    terms = [f"{amounts[at]} ({part.title}{places[at]})" for at, part in enumerate(parts)]
    return f"{' + '.join(terms) or '0'} = {units.show(resource, int(sum(part.amount for part in parts)))}"


def _kinds(case: Case, way: Way, resource: str, node: Node) -> Iterator[Finding]:
    """Yield what is wrong with savings by what kind of number it was before: `{estimated: 4GiB}`."""
    saved, whole = way.kinds(resource), int(bar(way.before, resource).amount)
    for kind, one in node.items():
        if kind not in tuple(Origin):
            continue
        amount = saved.get(kind, 0)
        truth = Truth(amount, units.show(resource, amount), whole)
        said = case.read(one, resource, truth)
        if isinstance(said, Finding):
            yield said
        elif not said.holds(truth):
            what, sums = f"saves.{resource}.{kind} {one.string}", arithmetic(resource, said, truth)
            yield case.wrong(one, what, but(said, truth), sums, said.right(truth))


def idle(case: Case, key: str, node: Node, said: Claimed, truth: Truth) -> Finding | None:
    """Return the finding that a target is not met because nothing changes there at all, or None if something does."""
    top, scene = said.upper(truth.whole), case.scene
    if top is None or truth.amount < top or kind_of(key) != key or case.claim.at == AS_IS:
        return None
    then = subject_of(case.claim, case.before, case.policy)
    if isinstance(then, Finding) or bar(Scene.of(case.claim, then, case.before), key).amount != truth.amount:
        return None
    now, over = units.show(key, int(truth.amount)), units.show(key, int(truth.amount - top))
    largest = sorted(scene.subject.services, key=lambda one: (-scene.moment.charged([one], key), one.name))[:_LARGEST]
    names = ", ".join(f"{one.name} {units.show(key, scene.moment.charged([one], key))}" for one in largest)
    sums = f"{now} today = {now} {case.claim.when}; {over} have to go"
    message = f"no change serves that: it is {now} as it is today"
    return case.wrong(node, f"{key} {node.string}", message, sums, said.right(truth), rule="savings/nothing-does-it",
                      remedy=f"or cut there; the largest are {names}")  # fmt: skip


def granted(case: Case, key: str) -> str:
    """Say what would be left on a node if every saving that the policy claims for it were granted."""
    claim, before, nodes = case.claim, case.moments.get(AS_IS), case.scene.subject.nodes
    if before is None or claim.at != TO_BE or key != MEMORY or len(nodes) != 1 or not claim.node.get("saves"):
        return ""
    asked = before.parts(nodes, key)
    one_each = asked.total - asked.of(Origin.REPLICAS)
    given: dict[str, int] = {}
    for stage in case.moments:
        parts = services_at(case, stage, key)
        amount = int(sum(part.amount for part in parts if part.there))
        if amount:
            given[stage] = amount
    if not given:
        return ""
    terms = "".join(f" - {units.show_gib(amount)} ({stage})" for stage, amount in given.items())
    left = units.show_bytes(one_each - sum(given.values()))
    there = units.show_gib(before.fleet.nodes[nodes[0]].has(key))
    start = units.show_gib(one_each)
    return f"; with every claimed saving granted, one copy of each: {start}{terms} = {left} of {there}"
