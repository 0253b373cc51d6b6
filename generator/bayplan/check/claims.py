"""`expect:`: what the authors believe, recomputed, with the sum written out where it does not hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.measure import holds
from bayplan.check.moment import Moment, qos
from bayplan.check.subject import Claim, Subject, subject_of
from bayplan.check.survey import AS_IS, TO_BE
from bayplan.finding import Finding, error, note
from bayplan.model import units
from bayplan.model.quantity import GPU_MEMORY, MEMORY, Origin
from bayplan.policy.values import amount_of, whole_number, word

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bayplan.check.survey import Survey
    from bayplan.model.fleet import Fleet
    from bayplan.model.service import Service
    from bayplan.source import Node

_ABOUT = frozenset({"of", "at", "env", "each", "says", "why", "saves", "qos", "services"})
_BIGGEST = 5


def read_claims(document: Node, environment: str) -> tuple[Claim, ...]:
    """Return the claims of a policy that speak of an environment, those of its stages among them."""
    rollout = document.get("rollout")
    stages = rollout.get("stages") if rollout is not None else None
    found = [(item, TO_BE) for item in document.get("expect") or ()]
    for stage in stages or ():
        found.extend((item, word(stage.get("name"))) for item in stage.get("expect") or ())
    return tuple(
        Claim(item, word(item.get("at"), at)) for item, at in found if word(item.get("env"), environment) == environment
    )


def measurable(survey: Survey, claims: Sequence[Claim]) -> tuple[tuple[Claim, ...], list[Finding]]:
    """Return the claims that can be measured, and notes about those of nodes while not everything has a place."""
    if survey.complete:
        return tuple(claims), []
    of_machines = [one for one in claims if one.at != AS_IS and one.of.partition("/")[0] in ("node", "gpu", "fleet")]
    message = "cannot be measured: not every service has a place yet"
    remedy = "see where everything would stand: bayplan plan POLICY"
    unknown = [note("claims/not-placed", one.node.place, one.of, message, remedy) for one in of_machines]
    return tuple(one for one in claims if one not in of_machines), unknown


def check_claims(claims: Sequence[Claim], moments: Mapping[str, Moment], *, released: bool = False) -> list[Finding]:
    """Return a finding for each claim that does not hold; a right claim raises nothing.

    Args:
        claims: all of them.
        moments: what they are measured against.
        released: whether bayplan has deployed something. What was claimed of today, and what it would save, was
            claimed of the time before.
    """
    findings = []
    for claim in claims:
        if released and claim.at == AS_IS:
            findings.append(_past(claim))
            continue
        moment = moments.get(claim.at)
        if moment is None:
            known = ", ".join(moments)
            findings.append(
                error("claims/when", claim.node.place, claim.of, f"there is no '{claim.at}'", f"use {known}")
            )
            continue
        now = claim.without("saves") if released else claim
        findings.extend(_check(now, moment, moments, claims))
    return findings


def _past(claim: Claim) -> Finding:
    message = "speaks of the time before the first release, and is not checked any more"
    return note("claims/past", claim.node.place, claim.of, message, "remove it, or keep it as a record")


def _check(claim: Claim, moment: Moment, moments: Mapping[str, Moment], claims: Sequence[Claim]) -> Iterable[Finding]:
    subject = subject_of(claim, moment, _policy(moments, moment))
    if isinstance(subject, Finding):
        yield subject
        return
    each = whole_number(claim.node.get("each"), 0)
    for key, node in claim.node.items():
        if key == "services":
            yield from _count(claim, node, moment, subject)
        elif key == "qos":
            yield from _quality(node, subject)
        elif key == "saves":
            yield from _saves(claim, node, moment, moments, subject)
        elif key == "disk" and node.is_map:
            for name, size in _said(node):
                truth = _truth(moment, subject, f"disk:{name}", each=each)
                yield from _compare(claim, size, f"disk:{name}", truth, units.show(f"disk:{name}", truth))
        elif key not in _ABOUT and node.is_map:
            yield from _kinds(claim, key, node, moment, subject)
        elif key not in _ABOUT:
            truth = _truth(moment, subject, key, each=each)
            arithmetic = _sum(moment, subject, key, truth)
            more = _granted(claim, claims, moments, subject, key)
            yield from _compare(claim, node, key, truth, f"{arithmetic}{more}")


def _policy(moments: Mapping[str, Moment], moment: Moment) -> Fleet:
    return moments.get(TO_BE, moment).fleet


def _said(node: Node) -> Iterable[tuple[str, Node]]:
    return ((key, value) for key, value in node.items() if key != "why")


def _truth(moment: Moment, subject: Subject, key: str, *, each: int) -> int:
    half, dot, resource = key.partition(".")
    if dot and half in ("requests", "limits"):
        return moment.stated(subject.services, half, resource, each=each)
    if subject.card:
        row = moment.ledger.row(subject.nodes[0], f"{GPU_MEMORY}/{subject.card}")
        return row.bar if row else 0
    if subject.nodes:
        more = moment.parts(subject.nodes, key).replicas if each == 1 else 0
        return moment.bar(subject.nodes, key) - more
    return moment.charged(subject.services, key, each=each)


def _sum(moment: Moment, subject: Subject, key: str, truth: int) -> str:
    """Write the sum behind a truth out: reserve, kinds of charges, pools."""
    resource = key.rpartition(".")[2]
    if not subject.nodes or "." in key:
        return units.show(resource, truth)
    parts = [
        f"{units.show(resource, amount)} {origin.value}" for origin, amount in moment.parts(subject.nodes, key).parts()
    ]
    reserve = sum(moment.fleet.nodes[node].reserved(key) for node in subject.nodes)
    if reserve:
        parts.append(f"{units.show(resource, reserve)} reserve")
    pooled = sum(row.pooled for row in moment.ledger.rows if row.node in subject.nodes and row.resource.startswith(key))
    less = f" - {units.show(resource, pooled)} of on-demand pools" if pooled else ""
    return f"{' + '.join(parts) or '0'}{less} = {units.show(resource, truth)}"


def _granted(claim: Claim, claims: Sequence[Claim], moments: Mapping[str, Moment], subject: Subject, key: str) -> str:
    """Say what would be left on a node if every saving that the policy claims for it were granted."""
    before = moments.get(AS_IS)
    if before is None or claim.at != TO_BE or key != MEMORY or len(subject.nodes) != 1 or not claim.node.get("saves"):
        return ""
    node = subject.nodes[0]
    asked = before.parts([node], key)
    one_each = asked.total - asked.of(Origin.REPLICAS)
    granted: dict[str, int] = {}
    for other in claims:
        saved = other.node.get("saves")
        amount = saved.get(key) if saved is not None else None
        whom = subject_of(other, before, _policy(moments, before))
        if amount is None or isinstance(whom, Finding) or whom.nodes or not whom.services:
            continue
        if all(service in before.services([node]) for service in whom.services):
            granted[other.at] = granted.get(other.at, 0) + amount_of(key, amount)
    if not granted:
        return ""
    terms = "".join(f" - {units.show_gib(amount)} ({at})" for at, amount in granted.items())
    left = units.show_bytes(one_each - sum(granted.values()))
    there = units.show_gib(before.fleet.nodes[node].has(key))
    start = units.show_gib(one_each)
    return f"; with every claimed saving granted, one copy of each: {start}{terms} = {left} of {there}"


def _count(claim: Claim, node: Node, moment: Moment, subject: Subject) -> Iterable[Finding]:
    truth = (
        sum(moment.ledger.services.get(name, 0) for name in subject.nodes) if subject.nodes else len(subject.services)
    )
    yield from _compare(claim, node, "services", truth, str(truth))


def _quality(node: Node, subject: Subject) -> Iterable[Finding]:
    for service in subject.services:
        truth = qos(service)
        if truth != node.string:
            words = ", ".join(_sides(service)) or "nothing is stated"
            message = f"claims {node.string}, but it is {truth}"
            remedy = f"services.{service.name}: {{qos: {node.string}}}"
            yield error("claims/wrong", node.place, str(service.name), message, remedy, arithmetic=words)


def _sides(service: Service) -> Iterable[str]:
    for half, amounts in (("requests", service.requests), ("limits", service.limits)):
        for resource, amount in sorted(amounts.items()):
            yield f"{half}.{resource} {units.show(resource, amount.amount)}"


def _saves(
    claim: Claim, node: Node, moment: Moment, moments: Mapping[str, Moment], subject: Subject
) -> Iterable[Finding]:
    before = moments[AS_IS]
    for key, amount in _said(node):
        then = subject_of(claim, before, _policy(moments, before))
        if isinstance(then, Finding):
            yield then
            continue
        if subject.nodes:
            old, new = before.bar(subject.nodes, key), moment.bar(subject.nodes, key)
            words = f"{units.show(key, old)} - {units.show(key, new)} = {units.show(key, old - new)}"
            yield from _compare(claim, amount, f"saves.{key}", old - new, words)
            continue
        yield from _service_savings(claim, amount, key, then.services)


def _service_savings(claim: Claim, node: Node, key: str, services: tuple[Service, ...]) -> Iterable[Finding]:
    """Name a saving on services that declare nothing: a first limit saves nothing that was declared."""
    guessed = [service for service in services if key not in service.limits and key not in service.requests]
    if guessed:
        names = ", ".join(service.name.name for service in guessed[:_BIGGEST])
        message = f"claims to save {node.string}, but {names} declares no {key}: a first limit saves 0"
        yield note("evidence/first-limit", node.place, claim.of, message, "state it as a first limit")


def _kinds(claim: Claim, key: str, node: Node, moment: Moment, subject: Subject) -> Iterable[Finding]:
    """Check a map of kinds: `memory: {declared: 108.75GiB, replicas: 12GiB}`."""
    parts = moment.parts(subject.nodes, key) if subject.nodes else moment.kinds(subject.services, key)
    for kind, amount in _said(node):
        if kind not in tuple(Origin):
            known = ", ".join(origin.value for origin in Origin)
            yield error("claims/kind", amount.here, claim.of, f"'{kind}' is no kind of number", f"use {known}")
            continue
        truth = parts.of(Origin(kind))
        yield from _compare(claim, amount, f"{key}.{kind}", truth, units.show(key, truth), resource=key)


def _compare(claim: Claim, node: Node, key: str, truth: int, arithmetic: str, resource: str = "") -> Iterable[Finding]:
    kind = resource or key.rpartition(".")[2]
    try:
        true = holds(node, kind, truth)
    except units.UnitError as fault:
        yield error("units/unreadable", node.place, claim.of, str(fault))
        return
    if not true:
        says = claim.node.get("says")
        quote = f" ({says.string})" if says is not None else ""
        shown = units.show(kind, truth) if kind != "services" else str(truth)
        message = f"claims {key} {node.string} {_when(claim.at)}, but it is {shown}{quote}"
        remedy = f"write {_true_claim(node, kind, truth)}, or change what makes it so"
        yield error("claims/wrong", node.place, claim.of, message, remedy, arithmetic=arithmetic)


def _true_claim(node: Node, kind: str, truth: int) -> str:
    """Return the claim as it would be right, exact, with the sign that it has."""
    sign = next((sign for sign in ("<=", ">=") if node.string.strip().startswith(sign)), "")
    in_bytes = kind in (MEMORY, GPU_MEMORY, "swap") or kind.startswith("disk:")
    words = units.policy_bytes(truth) if in_bytes else str(truth)
    if kind == "cpus":
        words = units.compose_cpus(truth)
    return f'"{sign} {words}"' if sign else words


def _when(at: str) -> str:
    return {AS_IS: "today", TO_BE: "in the end"}.get(at, f"after {at}")
