"""`expect:`: what the authors believe, recomputed, with the sum written out where it does not hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.check.case import Case, arithmetic, but
from bayplan.check.evidence import estimated
from bayplan.check.measure import RATIO, Truth, shown
from bayplan.check.moment import AS_IS, TO_BE, Moment, qos, stated
from bayplan.check.paste import flow
from bayplan.check.savings import granted, idle, savings
from bayplan.check.subject import Claim, of_no_environment, subject_of
from bayplan.check.truth import HEADROOM, Scene, Unsaid, kind_of, ratios, truth_of
from bayplan.check.undecided import undecided
from bayplan.finding import Finding, error, note
from bayplan.model import units
from bayplan.policy.environment import names_of
from bayplan.policy.values import word, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bayplan.model.service import Service
    from bayplan.source import Node

_ABOUT = frozenset({"of", "at", "env", "each", "scale", "says", "why", "claims"})
_NAMED = 5


def read_claims(document: Node, environment: str) -> tuple[Claim, ...]:
    """Return the claims of a policy that speak of an environment, or of none that there is; those of its stages too."""
    rollout = document.get("rollout")
    stages = rollout.get("stages") if rollout is not None else None
    found = [(item, TO_BE) for item in document.get("expect") or ()]
    for stage in stages or ():
        found.extend((item, word(stage.get("name"))) for item in stage.get("expect") or ())
    known = names_of(document)
    claims = []
    for item, at in found:
        env = word(item.get("env"), environment)
        if env == environment or env not in known:
            claims.append(Claim(item, word(item.get("at"), at), () if env == environment else known))
    return tuple(claims)


def judged(
    claims: Sequence[Claim], moments: Mapping[str, Moment], *, complete: bool = True, released: bool = False
) -> Iterator[Finding]:
    """Yield a finding for each claim that does not hold or cannot be told; a right claim raises nothing.

    Args:
        claims: all of them.
        moments: what they are measured against: `as-is`, the stages in order, `to-be`.
        complete: whether every copy has a place in the end; if not, nothing can be said of nodes.
        released: whether bayplan has deployed something. What was claimed of today, and what it would save, was
            claimed of the time before.
    """
    for claim in claims:
        moment = moments.get(claim.at)
        if claim.environments:
            yield of_no_environment(claim)
        elif moment is None:
            yield _never(claim, moments)
        elif released and claim.at == AS_IS:
            message = "speaks of the time before the first release, and is not checked any more"
            yield note("claims/past", claim.node.place, claim.of, message, "remove it, or keep it as a record")
        else:
            now = claim.without("saves") if released else claim
            if not complete and claim.of_machines and claim.at != AS_IS:
                now, unknown = _placeless(now)
                yield from unknown
            subject = subject_of(now, moment, moments.get(TO_BE, moment).fleet)
            if isinstance(subject, Finding):
                yield subject
            else:
                yield from _judged(Case(now, Scene.of(now, subject, moment), claims, moments))


def _placeless(claim: Claim) -> tuple[Claim, list[Finding]]:
    """Return what a claim about nodes says that holds wherever services stand, and a note about the rest."""
    rest = [key for key, _ in claim.node.items() if key not in _ABOUT and not key.startswith(("capacity.", "reserve."))]
    if not rest:
        return claim, []
    message = "cannot be measured: not every service has a place yet"
    remedy = "see where everything would stand: bayplan plan POLICY"
    known = claim.without(*rest)
    return known, [note("claims/not-placed", claim.node.place, claim.of, message, remedy)]


def _never(claim: Claim, moments: Mapping[str, Moment]) -> Finding:
    import difflib  # noqa: PLC0415 - needed for a mistake only, and slow to import

    near = difflib.get_close_matches(claim.at, moments, 1)
    place = (claim.node.get("at") or claim.node).place
    remedy = f"use {', '.join(moments)}"
    return error("claims/when", place, claim.of, f"there is no '{claim.at}'", remedy, write=near[0] if near else "")


def _judged(case: Case) -> Iterator[Finding]:
    yield from undecided(case.claim)
    for key, node in case.claim.node.items():
        if key in _ABOUT or key.startswith("x-"):
            continue
        if key == "qos":
            yield from _quality(case, node)
        elif key == "saves":
            yield from savings(case, node)
        elif key == "disk" and node.is_map:
            for name, size in node.items():
                if name != "why":
                    yield from _amount(case, f"disk:{name}", size)
        elif key.startswith(f"{HEADROOM}."):
            yield from _headroom(case, key, node)
        elif node.is_map:
            yield from _kinds(case, key, node)
        else:
            yield from _amount(case, key, node)


def _amount(case: Case, key: str, node: Node) -> Iterator[Finding]:
    """Yield what is wrong with a number, a bound or a range."""
    kind, truth = kind_of(key), truth_of(case.scene, key)
    if isinstance(truth, Unsaid):
        message = f"claims {key} {node.string}, but {truth.why}"
        yield error("claims/not-said", node.place, case.claim.of, message, truth.remedy)
        return
    said = case.read(node, kind, truth)
    if isinstance(said, Finding):
        yield said
    elif not said.holds(truth):
        useless = idle(case, key, node, said, truth)
        more = granted(case, key)
        if useless is not None:
            yield useless
        else:
            sums = f"{arithmetic(kind, said, truth)}{more}"
            yield case.wrong(node, f"{key} {node.string}", but(said, truth), sums, said.right(truth))
    else:
        yield from estimated(case, key, node, said)


def _kinds(case: Case, key: str, node: Node) -> Iterator[Finding]:
    """Yield what is wrong with a map of kinds: `memory: {declared: 108.75GiB of 32 services, replicas: 12GiB}`."""
    amounts, sources, whole = case.scene.kinds(key), case.scene.sources(key), case.scene.capacity(key)
    for kind, one in node.items():
        if kind in amounts:
            truth = Truth(amounts[kind], units.show(key, amounts[kind]), whole, sources.get(kind, 0))
            said = case.read(one, key, truth)
            if isinstance(said, Finding):
                yield said
            elif not said.holds(truth):
                what, sums = f"{key}.{kind} {one.string}", arithmetic(key, said, truth)
                yield case.wrong(one, what, but(said, truth), sums, said.right(truth))


def _headroom(case: Case, key: str, node: Node) -> Iterator[Finding]:
    """Yield what is wrong with a ratio of limit to request, which each service has to keep."""
    resource = key.partition(".")[2]
    found = ratios(case.scene.subject.services, resource)
    if not found:
        message = f"claims {key} {node.string}, but nobody there states a limit of {resource}"
        yield error("claims/not-said", node.place, case.claim.of, message, f"say limits.{resource}")
        return
    truths = {ratio: Truth(ratio) for _, ratio in found}
    low, high = truths[min(truths)], truths[max(truths)]
    said = case.read(node, RATIO, high)
    if isinstance(said, Finding):
        yield said
        return
    holding = {ratio: said.holds(truth) for ratio, truth in truths.items()}
    wrong = [(service, ratio) for service, ratio in found if not holding[ratio]]
    if wrong:
        named, more = wrong[:_NAMED], f" and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
        sums = "; ".join(f"{service.name} {_division(service, resource)}" for service, _ in named)
        truth = ", ".join(f"{shown(RATIO, truths[ratio])} for {service.name}" for service, ratio in named)
        yield case.wrong(node, f"{key} {node.string}", f"it is {truth}{more}", sums, said.right(low, high))


def _division(service: Service, resource: str) -> str:
    limit, request = (units.show(resource, stated(service, half, resource)) for half in ("limits", "requests"))
    return f"{limit} / {request}"


def _quality(case: Case, node: Node) -> Iterator[Finding]:
    """Yield what is wrong with a class of quality, or with a list of which each service has to have one."""
    classes = {service.name: qos(service) for service in case.scene.subject.services}
    claimed = frozenset(words(node))
    wrong = [service for service in case.scene.subject.services if classes[service.name] not in claimed]
    if not wrong:
        return
    real = sorted(set(classes.values()))
    named = ", ".join(f"{service.name} is {classes[service.name]}" for service in wrong[:_NAMED])
    more = f", and {len(wrong) - _NAMED} more are not" if len(wrong) > _NAMED else ""
    sums = "; ".join(
        f"{service.name}: {', '.join(_halves(service)) or 'nothing is stated'}" for service in wrong[:_NAMED]
    )
    remedy = "or make requests and limits equal" if "guaranteed" in words(node) else ""
    said = " or ".join(words(node))
    yield case.wrong(
        node, f"qos {said}", f"{named}{more}", sums, real[0] if len(real) == 1 else flow(real), remedy=remedy
    )


def _halves(service: Service) -> Iterator[str]:
    for half, amounts in (("requests", service.requests), ("limits", service.limits)):
        for resource, amount in sorted(amounts.items()):
            yield f"{half}.{resource} {units.show(resource, amount.amount)}"
