"""Whom a claim speaks of: the fleet, a node, a card, services by name, tier or pool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bayplan.check.moment import AS_IS, TO_BE, Moment
from bayplan.check.paste import flow
from bayplan.finding import Finding, error
from bayplan.policy.groups import select
from bayplan.policy.values import word
from bayplan.source import Node

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bayplan.finding import Place
    from bayplan.model.fleet import Fleet
    from bayplan.model.names import Name
    from bayplan.model.service import Service

_SHOWN = 8
_MACHINES = ("node", "gpu", "fleet")


@dataclass(frozen=True, slots=True)
class Claim:
    """One line of `expect:`, and the moment it speaks of.

    Attributes:
        node: what is written.
        at: the name of the moment.
        environments: those that there are, if it speaks of another one.
    """

    node: Node
    at: str
    environments: tuple[str, ...] = ()

    @property
    def of(self) -> str:
        """Return its subject as written."""
        return word(self.node.get("of"), "fleet")

    @property
    def of_machines(self) -> bool:
        """Whether it speaks of nodes, and so of where services stand."""
        return self.of.partition("/")[0] in _MACHINES

    @property
    def quote(self) -> str:
        """Return who says so, in brackets, or nothing."""
        says = word(self.node.get("says"))
        return f" ({says})" if says else ""

    @property
    def when(self) -> str:
        """Return the moment in words."""
        return {AS_IS: "today", TO_BE: "in the end"}.get(self.at, f"after {self.at}")

    def without(self, *keys: str) -> Claim:
        """Return the claim without what it says about some things."""
        return Claim(self.node.with_value({key: node for key, node in self.node.items() if key not in keys}), self.at)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a claim speaks of: nodes (and so their reserve), or services."""

    words: str
    nodes: tuple[str, ...] = ()
    services: tuple[Service, ...] = ()
    card: str = ""


def subject_of(claim: Claim, moment: Moment, policy: Fleet) -> Subject | Finding:
    """Return whom a claim speaks of at a moment, or the finding that nobody is meant.

    Args:
        claim: the claim.
        moment: when it is asked.
        policy: the fleet that says who belongs to which tier and pool; what runs today knows of neither.
    """
    text = claim.of
    kind, _, rest = text.partition("/")
    if text == "fleet":
        return Subject(text, tuple(moment.fleet.nodes), moment.everyone)
    if text == "services":
        return Subject(text, services=moment.everyone)
    if kind in ("node", "gpu"):
        return _machine(claim, moment, kind, rest)
    if kind in ("tier", "pool"):
        known = policy.tiers if kind == "tier" else policy.pools
        if rest not in known:
            return _nobody(claim, f"there is no {kind} '{rest}'", kind, rest, known)
        return Subject(
            text, services=_running(moment, (one.name for one in policy.active() if getattr(one, kind) == rest))
        )
    return _services(claim, moment, policy)


def of_no_environment(claim: Claim) -> Finding:
    """Return the finding that a claim speaks of an environment that there is not."""
    env = claim.node.get("env") or claim.node
    return _named_nothing(
        env.place, claim.of, f"there is no environment '{env.string}'", env.string, claim.environments
    )


def _running(moment: Moment, names: Iterable[Name]) -> tuple[Service, ...]:
    known = (moment.fleet.services.get(name) for name in sorted(names))
    return tuple(service for service in known if service is not None and service.active)


def _machine(claim: Claim, moment: Moment, kind: str, rest: str) -> Subject | Finding:
    name, _, card = rest.partition("/")
    if name not in moment.fleet.nodes:
        return _nobody(claim, f"there is no node '{name}'", kind, name, moment.fleet.nodes, f"/{card}" if card else "")
    cards = [str(one.index) for one in moment.fleet.nodes[name].gpus]
    if card and card not in cards:
        return _nobody(claim, f"'{name}' has no card '{card}'", f"{kind}/{name}", card, cards)
    return Subject(claim.of, (name,), moment.services([name], card), card)


def _nobody(claim: Claim, message: str, kind: str, wanted: str, known: Iterable[str], rest: str = "") -> Finding:
    """Return the finding that nobody is meant, with the nearest name as what to write."""
    place = (claim.node.get("of") or claim.node).place
    return _named_nothing(place, claim.of, message, wanted, known, f"{kind}/{{}}{rest}")


def _named_nothing(
    place: Place, subject: str, message: str, wanted: str, known: Iterable[str], form: str = "{}"
) -> Finding:
    import difflib  # noqa: PLC0415 - needed for a mistake only, and slow to import

    names = sorted(known)
    near = names if len(names) == 1 else difflib.get_close_matches(wanted, names, 1)
    write = flow(form.format(near[0])) if near else ""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    remedy = "" if write else f"use one of: {', '.join(names[:_SHOWN]) or 'there is none'}{more}"
    return error("claims/who", place, subject, message, remedy, write=write)


def _services(claim: Claim, moment: Moment, policy: Fleet) -> Subject | Finding:
    text = claim.of.removeprefix("service/")
    written = claim.node.get("of") or claim.node
    exact = moment.names.get(text, ())
    found, missing = (exact, None) if len(exact) == 1 else select(Node(text, written.place), moment.fleet.services)
    if missing is None:
        return Subject(claim.of, services=_running(moment, found))
    if not found and select(Node(text, written.place), policy.services)[1] is None:
        return Subject(claim.of)  # meant, and not there at this moment
    if found:  # a bare name that several projects have
        return error(
            "claims/who",
            written.place,
            claim.of,
            missing.message,
            "or another one of them",
            write=f"service/{found[0]}",
        )
    known = {str(name) if "/" in text else name.name for name in moment.fleet.services}
    return _nobody(claim, missing.message, "service", text, known)
